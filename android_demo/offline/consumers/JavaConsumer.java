import android.content.Context;
import android.net.Uri;
import org.fermobile.core.PhotoResult;
import org.fermobile.fer.Fer;

public final class JavaConsumer {
    /** The expression of a photo, and how sure the model is of it; not on the main thread. */
    public static String expressionOf(Context context, Uri photo) throws InterruptedException {
        try (Fer fer = Fer.create(context, "compact")) {
            PhotoResult result = fer.analyseBlocking(photo);
            if (result.getError() != null) return result.getError();
            return result.getLabel() == null ? null : result.getLabel() + " " + result.getConfidence(); // null: no face
        }
    }
}
