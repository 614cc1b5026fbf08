package org.fermobile.offline;

import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.app.Application;
import android.net.Uri;
import android.os.Looper;
import android.provider.MediaStore;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.fakes.RoboCursor;
import org.robolectric.shadows.ShadowContentResolver;

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
    public void theGalleryFilters() throws Exception {
        haveAPhoto();
        Activity gallery = open("gallery.GalleryActivity");
        View filter = gallery.findViewById(gallery.getResources().getIdentifier("filter_all", "id", APP));
        waitUntil(filter::isEnabled);
        filter.performClick();
        waitFor(gallery, "\uD83D\uDE00 "); // an emoji and a confidence
    }

    @Test
    public void theGalleryGreets() throws Exception {
        waitFor(open("gallery.GalleryActivity"), "Find photos by facial expression");
    }

    /** One photo in MediaStore, and the permission to see it. */
    private static void haveAPhoto() {
        Application app = RuntimeEnvironment.getApplication();
        Shadows.shadowOf(app).grantPermissions("android.permission.READ_MEDIA_IMAGES");
        RoboCursor rows = new RoboCursor();
        rows.setColumnNames(Arrays.asList("_id", "date_modified", "_size")); // as the app asks for them
        rows.setResults(new Object[][] {{1L, 1L, 1L}});
        Uri photos = MediaStore.Images.Media.EXTERNAL_CONTENT_URI;
        ShadowContentResolver resolver = Shadows.shadowOf(app.getContentResolver());
        resolver.setCursor(photos, rows);
        resolver.registerInputStreamSupplier(Uri.withAppendedPath(photos, "1"), ShrunkTest::photo);
    }

    private static InputStream photo() {
        String root = System.getProperty("fermobile.root");
        try {
            return new FileInputStream(root + "/fer_mobile/photos/affective-25/astronaut-smile.jpg");
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static Activity open(String name) throws Exception {
        Class<? extends Activity> screen = Class.forName(APP + "." + name).asSubclass(Activity.class);
        return Robolectric.buildActivity(screen).setup().get();
    }

    /** Waits until a text that begins so is to be seen. */
    private static void waitFor(Activity activity, String start) {
        waitUntil(() -> shows(activity.getWindow().getDecorView(), start));
    }

    private static void waitUntil(BooleanSupplier holds) {
        long end = System.nanoTime() + 300_000_000_000L;
        while (!holds.getAsBoolean()) {
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
