package org.fermobile.offline;

import static org.junit.Assert.assertEquals;
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
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.Before;
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
    private static final File PHOTOS =
            new File(System.getProperty("fermobile.root"), "fer_mobile/photos/affective-25");
    private static final File[] FILES = {new File(PHOTOS, "astronaut-smile.jpg"), new File(PHOTOS, "cat.png")};

    @Before
    public void havePhotos() {
        Application application = RuntimeEnvironment.getApplication();
        Shadows.shadowOf(application).grantPermissions(Manifest.permission.READ_MEDIA_IMAGES);
        Robolectric.setupContentProvider(Photos.class, MediaStore.AUTHORITY);
    }

    @Test
    public void theGalleryFilters() throws Exception {
        Activity gallery = open("gallery.GalleryActivity");
        View filter = view(gallery, "filter_all");
        waitUntil(filter::isEnabled);
        filter.performClick();
        waitUntil(() -> texts(gallery).contains("No face"));
        waitUntil(() -> texts(gallery).stream().anyMatch(text -> text.matches("😀 \\d+%")));
    }

    @Test
    public void theBenchmarkRuns() throws Exception {
        Activity benchmark = open("BenchmarkActivity");
        view(benchmark, "run").performClick();
        waitUntil(() -> texts(benchmark).stream().anyMatch(text -> text.startsWith("Nine photos in ten ")));
    }

    @Test
    public void theModelsAreThere() throws Exception {
        Activity models = open("models.ModelsActivity");
        waitUntil(() -> texts(models).stream().anyMatch(text -> text.startsWith("compact_int8.tflite\n")));
        assertTrue(texts(models).contains("Threads: 2"));
    }

    private static Activity open(String name) throws Exception {
        Class<? extends Activity> screen = Class.forName(APP + "." + name).asSubclass(Activity.class);
        return Robolectric.buildActivity(screen).setup().get();
    }

    private static View view(Activity activity, String name) {
        return activity.findViewById(activity.getResources().getIdentifier(name, "id", APP));
    }

    private static List<String> texts(Activity activity) {
        List<String> found = new ArrayList<>();
        collect(activity.getWindow().getDecorView(), found);
        return found;
    }

    private static void collect(View view, List<String> found) {
        if (view.getVisibility() != View.VISIBLE) return;
        if (view instanceof TextView) found.add(((TextView) view).getText().toString());
        if (view instanceof ViewGroup) {
            ViewGroup group = (ViewGroup) view;
            for (int index = 0; index < group.getChildCount(); index++) collect(group.getChildAt(index), found);
        }
    }

    private static void waitUntil(BooleanSupplier holds) throws InterruptedException {
        long end = System.nanoTime() + 300_000_000_000L;
        while (true) {
            Shadows.shadowOf(Looper.getMainLooper()).idle();
            if (holds.getAsBoolean()) return;
            assertTrue("it took too long", System.nanoTime() < end);
            Thread.sleep(5);
        }
    }

    /** Plays MediaStore. */
    public static final class Photos extends ContentProvider {
        @Override
        public boolean onCreate() {
            return true;
        }

        @Override
        public Cursor query(Uri uri, String[] columns, String where, String[] arguments, String order) {
            assertEquals(3, columns.length); // number, date and size
            MatrixCursor rows = new MatrixCursor(columns);
            for (int id = 0; id < FILES.length; id++) rows.addRow(new Object[] {id, 0, FILES[id].length()});
            return rows;
        }

        @Override
        public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
            File file = FILES[Integer.parseInt(uri.getLastPathSegment())];
            return ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY);
        }

        @Override
        public String getType(Uri uri) {
            return "image/*";
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
}
