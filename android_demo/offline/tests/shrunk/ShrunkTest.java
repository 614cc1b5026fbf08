package org.fermobile.offline;

import static org.junit.Assert.assertTrue;

import android.Manifest;
import android.app.Activity;
import android.app.Application;
import android.content.ContentProvider;
import android.content.ContentValues;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.Looper;
import android.os.ParcelFileDescriptor;
import android.provider.MediaStore;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.io.File;
import java.io.FileNotFoundException;
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
        Robolectric.setupContentProvider(Photos.class, MediaStore.AUTHORITY);
        Shadows.shadowOf((Application) RuntimeEnvironment.getApplication())
            .grantPermissions(Manifest.permission.READ_MEDIA_IMAGES);
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

    /** Plays MediaStore with one photo. */
    public static final class Photos extends ContentProvider {
        private static final File PHOTO =
            new File(System.getProperty("fermobile.root"), "fer_mobile/photos/affective-25/astronaut-smile.jpg");

        @Override
        public Cursor query(Uri uri, String[] columns, String where, String[] arguments, String order) {
            MatrixCursor cursor = new MatrixCursor(columns);
            cursor.addRow(new Object[] {1, 1, PHOTO.length()}); // id, date and size, in the app's order
            return cursor;
        }

        @Override
        public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
            return ParcelFileDescriptor.open(PHOTO, ParcelFileDescriptor.MODE_READ_ONLY);
        }

        @Override
        public boolean onCreate() {
            return true;
        }

        @Override
        public String getType(Uri uri) {
            return "image/jpeg";
        }

        @Override
        public Uri insert(Uri uri, ContentValues values) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int delete(Uri uri, String where, String[] arguments) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int update(Uri uri, ContentValues values, String where, String[] arguments) {
            throw new UnsupportedOperationException();
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
