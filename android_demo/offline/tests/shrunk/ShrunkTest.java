package org.fermobile.offline;

import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.os.Looper;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.util.concurrent.locks.LockSupport;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/**
 * The app as R8 leaves it: shrunk and renamed, so that it is looked at from outside alone, by the framework's
 * classes and the names of its screens and views. In Java, because Kotlin's own library is shrunk, too.
 */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "en-w360dp-h640dp-port-hdpi")
public final class ShrunkTest {
    private static final String APP = "org.fermobile.gallery";

    /** Decodes, finds, crops and classifies the photos that the app brings along. */
    @Test
    public void theBenchmarkRuns() throws Exception {
        Activity benchmark = open("BenchmarkActivity");
        benchmark.findViewById(benchmark.getResources().getIdentifier("run", "id", APP)).performClick();
        waitFor(benchmark, "Nine photos in ten ");
    }

    @Test
    public void theModelsAreThere() throws Exception {
        waitFor(open("models.ModelsActivity"), "compact_int8.tflite\n");
    }

    @Test
    public void theGalleryGreets() throws Exception {
        waitFor(open("gallery.GalleryActivity"), "Find photos by facial expression");
    }

    private static Activity open(String name) throws Exception {
        Class<? extends Activity> screen = Class.forName(APP + "." + name).asSubclass(Activity.class);
        return Robolectric.buildActivity(screen).setup().get();
    }

    /** Waits until a text that begins so is to be seen. */
    private static void waitFor(Activity activity, String start) {
        long end = System.nanoTime() + 300_000_000_000L;
        while (!shows(activity.getWindow().getDecorView(), start)) {
            assertTrue("it took too long", System.nanoTime() < end);
            Shadows.shadowOf(Looper.getMainLooper()).idle();
            LockSupport.parkNanos(5_000_000);
        }
    }

    private static boolean shows(View view, String start) {
        if (view.getVisibility() != View.VISIBLE) return false;
        if (view instanceof TextView && ((TextView) view).getText().toString().startsWith(start)) return true;
        if (view instanceof ViewGroup) {
            ViewGroup group = (ViewGroup) view;
            for (int index = 0; index < group.getChildCount(); index++) {
                if (shows(group.getChildAt(index), start)) return true;
            }
        }
        return false;
    }
}
