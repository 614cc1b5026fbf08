import android.content.Context;
import android.net.Uri;
import java.io.Closeable;
import java.io.IOException;
import org.fermobile.core.ContractException;
import org.fermobile.core.InterpreterException;
import org.fermobile.core.PhotoResult;
import org.fermobile.fer.Fer;

/** Expressions of photos. Keep one object, made and used on a worker thread. */
public final class Expressions implements Closeable {
    private final Fer fer;

    public Expressions(Context context) throws IOException {
        try {
            fer = Fer.create(context, "compact");
        } catch (ContractException error) { // among the assets there is none, or one that is damaged
            throw new IOException("The app has no model", error);
        } catch (InterpreterException error) { // LiteRT has no library for it
            throw new IOException("This phone cannot run the model", error);
        }
    }

    /** Null where there is no face, and "multiple" where there are several. */
    public String expressionOf(Uri photo) throws IOException, InterruptedException {
        PhotoResult result = fer.analyseBlocking(photo);
        if (result.getError() != null) throw new IOException(result.getError());
        return result.getLabel();
    }

    @Override
    public void close() {
        fer.close();
    }
}
