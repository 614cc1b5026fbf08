package org.fermobile.offline;

import static org.junit.Assert.assertEquals;

import android.app.Application;
import android.graphics.Bitmap;
import android.graphics.Rect;
import java.util.Map;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** The snippet in an app that R8 shrank without the library's rules. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, application = Application.class)
public final class SnippetTest {
    @Test
    public void classifies() throws Exception {
        Bitmap photo = Bitmap.createBitmap(200, 200, Bitmap.Config.ARGB_8888);
        Application app = RuntimeEnvironment.getApplication();
        try (javaapp.ExpressionClassifier classifier = new javaapp.ExpressionClassifier(app, "models/compact_int8.tflite")) {
            Map<String, Float> found = classifier.classify(photo, new Rect(50, 50, 150, 150));
            assertEquals(1, found.values().stream().mapToDouble(Float::doubleValue).sum(), 0.05);
        }
    }
}
