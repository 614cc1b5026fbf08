package org.fermobile.offline;

import android.app.Activity;
import android.content.Context;
import android.net.Uri;
import android.os.Looper;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
        chooseAPhoto();
        Activity gallery = open("gallery.GalleryActivity");
        View filter = gallery.findViewById(gallery.getResources().getIdentifier("filter_all", "id", APP));
        waitUntil(gallery, filter::isEnabled);
        filter.performClick();
        waitFor(gallery, "\uD83D\uDE00 "); // an emoji and a confidence
    }

    @Test
    public void theGalleryGreets() throws Exception {
        waitFor(open("gallery.GalleryActivity"), "Find photos by facial expression");
    }

    /** Keeps a photo as the app keeps those of the picker. */
    private static void chooseAPhoto() {
        String name = "fer_mobile/photos/affective-25/astronaut-smile.jpg";
        String photo = Uri.fromFile(new File(System.getProperty("fermobile.root"), name)).toString();
        RuntimeEnvironment.getApplication().getSharedPreferences("library", Context.MODE_PRIVATE)
            .edit().putStringSet("chosen", Collections.singleton(photo)).commit();
    }

    private static Activity open(String name) throws Exception {
        Class<? extends Activity> screen = Class.forName(APP + "." + name).asSubclass(Activity.class);
        return Robolectric.buildActivity(screen).setup().get();
    }

    /** Waits until a text that begins so is to be seen. */
    private static void waitFor(Activity activity, String start) {
        waitUntil(activity, () -> texts(activity).stream().anyMatch(text -> text.startsWith(start)));
    }

    private static void waitUntil(Activity activity, BooleanSupplier holds) {
        long end = System.nanoTime() + 100_000_000_000L;
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end) throw new AssertionError("it took too long; it shows " + texts(activity));
            Shadows.shadowOf(Looper.getMainLooper()).idle();
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** Every text that is to be seen. */
    private static List<String> texts(Activity activity) {
        List<String> texts = new ArrayList<>();
        addTexts(activity.getWindow().getDecorView(), texts);
        return texts;
    }

    private static void addTexts(View view, List<String> texts) {
        if (view.getVisibility() != View.VISIBLE) return;
        if (view instanceof TextView) texts.add(((TextView) view).getText().toString());
        if (view instanceof ViewGroup) {
            ViewGroup group = (ViewGroup) view;
            for (int index = 0; index < group.getChildCount(); index++) addTexts(group.getChildAt(index), texts);
        }
    }
}
