package org.fermobile.gallery

import android.content.Intent
import androidx.lifecycle.ViewModelProvider
import org.fermobile.gallery.gallery.GalleryActivity
import org.fermobile.gallery.gallery.GalleryViewModel
import org.fermobile.gallery.library.LibraryPhoto
import org.fermobile.gallery.logic.Phase
import org.fermobile.gallery.models.ModelsActivity
import org.fermobile.gallery.photo.PhotoActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The screens on Android 8, the oldest that is drawn here, say the same. */
@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [26], qualifiers = "en-w360dp-h640dp-port-hdpi")
class OldAndroidTest {
    @Test
    fun theGalleryFilters() {
        havePhotos(GALLERY_PHOTOS)
        val activity = Robolectric.buildActivity(GalleryActivity::class.java).setup().get()
        waitUntil("model and photos") { activity.view(R.id.filter_all).isEnabled }
        activity.view(R.id.filter_all).performClick()
        val model = ViewModelProvider(activity)[GalleryViewModel::class.java]
        waitUntil("the end of the run") { model.screen.value.gallery.phase == Phase.FILTERED }
        waitUntil("the captions") { activity.texts().any { it.startsWith("😀") } }
        assertReadsLike("filtered", activity)
    }

    @Test
    fun aPhotoShowsItsFace() {
        val file = bundled("astronaut-smile").single()
        havePhotos(listOf(file))
        val intent = PhotoActivity.intent(galleryApp, LibraryPhoto(uriOf(0), file.path))
        val activity = Robolectric.buildActivity(PhotoActivity::class.java, intent).setup().get()
        waitUntil("the photo") { activity.view(R.id.filter).isEnabled }
        activity.view(R.id.filter).performClick()
        waitUntil("the result") { activity.view(R.id.answer).isShown }
        assertReadsLike("photo", activity)
    }

    @Test
    fun theModelsAreListed() {
        val activity = Robolectric.buildActivity(ModelsActivity::class.java).setup().get()
        waitUntil("the models") { activity.texts().any { it.startsWith("xcao_two_stream_int8.tflite") } }
    }

    @Test
    fun theBenchmarkRuns() {
        val intent = Intent().putExtra("out", "old.json").putExtra("repetitions", 1)
        val activity = Robolectric.buildActivity(BenchmarkActivity::class.java, intent).setup().get()
        waitUntil("the verdict") { activity.text(R.id.verdict).isNotEmpty() }
        assertTrue(activity.text(R.id.verdict), activity.text(R.id.verdict).startsWith("Nine photos in ten take "))
        assertEquals("Saved to bench/old.json", activity.text(R.id.file))
    }
}
