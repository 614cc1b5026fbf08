package org.fermobile.gallery

import android.content.Intent
import android.net.Uri
import android.view.MenuItem
import android.widget.ImageView
import android.widget.TextView
import com.google.android.material.appbar.MaterialToolbar
import com.google.android.material.chip.Chip
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.fermobile.gallery.gallery.GalleryActivity
import org.fermobile.gallery.logic.Expressions
import org.fermobile.gallery.logic.Phase
import org.fermobile.gallery.photo.PhotoActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.util.concurrent.CountDownLatch

/** Filtering, and how the gallery looks. */
@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi")
class GalleryTest {
    private val some = GALLERY_PHOTOS

    @Test
    fun everyBundledPhotoGetsTheLabelThatPythonGivesIt() {
        havePhotos(bundledPhotos)
        val activity = openGallery().get()
        filterAll(activity)
        val expected = Json.parseToJsonElement(File(output, "expected.json").readText()).jsonArray.associate {
            val row = it.jsonObject
            File(row.getValue("path").jsonPrimitive.content).name to row.getValue("label").jsonPrimitive.contentOrNull
        }
        assertEquals(bundledPhotos.size, expected.size)
        assertEquals(expected, bundledPhotos.map { it.name }.zip(tiles(activity).map { it.tile.label }).toMap())
    }

    @Test
    fun filteringCarriesEmojiAndConfidence() {
        havePhotos(some)
        val activity = openGallery().get()
        waitUntil("thumbnails") { thumbnailsThere() }
        assertLooksLike("browsing", activity)
        filterAll(activity)
        val captions = activity.texts()
        assertTrue("$captions", captions.any { Regex("😀 \\d+%").matches(it) })
        assertTrue("$captions", "👥" in captions && activity.getString(R.string.no_face) in captions)
        assertLooksLike("filtered", activity)
        assertTrue(descriptionOf(activity, 0), Regex("Photo 1: Happiness, \\d+%").matches(descriptionOf(activity, 0)))
    }

    @Test
    fun severalExpressionsFilterTogetherAndBackRestores() {
        havePhotos(some)
        val activity = openGallery().get()
        filterAll(activity)
        toggle(activity, "happiness")
        toggle(activity, "surprise")
        waitUntil("two expressions") {
            tiles(activity).map { it.tile.label } == listOf("happiness", "happiness", "surprise")
        }
        waitUntil("thumbnails") { thumbnailsThere() }
        assertLooksLike("filtered-by-two", activity)
        assertEquals("😀 Happiness 2", chips(activity).first { it.tag == "happiness" }.text)
        assertTrue(shareItem(activity).isVisible)
        shareItem(activity).let { activity.findViewById<MaterialToolbar>(R.id.toolbar).menu.performIdentifierAction(it.itemId, 0) }
        val sent = shadowOf(activity).nextStartedActivity.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)!!
        assertEquals(3, sent.getParcelableArrayListExtra(Intent.EXTRA_STREAM, Uri::class.java)!!.size)

        toggle(activity, "happiness")
        toggle(activity, "surprise")
        toggle(activity, Expressions.MULTIPLE)
        waitUntil("several faces") { tiles(activity).map { it.tile.label } == listOf(Expressions.MULTIPLE) }
        assertLooksLike("multiple", activity)

        toggle(activity, Expressions.MULTIPLE)
        toggle(activity, "contempt")
        waitUntil("nothing") { tiles(activity).isEmpty() }
        assertTrue("No photos match Contempt." in activity.texts())
        assertLooksLike("nothing", activity)
        assertFalse(shareItem(activity).isVisible)
        val chip = place(chips(activity).first { it.tag == "contempt" })
        assertTrue("$chip", place(activity.view(R.id.bar_scroll)).contains(chip))

        activity.view(R.id.back).performClick()
        waitUntil("the first state") { tiles(activity).size == some.size }
        assertTrue(tiles(activity).none { it.looked || it.tile.label != null })
        assertTrue(chips(activity).none(Chip::isChecked))
        assertFalse(activity.view(R.id.back).isEnabled)
    }

    private fun shareItem(activity: GalleryActivity): MenuItem =
        activity.findViewById<MaterialToolbar>(R.id.toolbar).menu.findItem(R.id.share)

    @Test
    fun aModelWithLabelsOfItsOwnIsShownByThem() {
        havePhotos(some)
        val activity = openGallery().get()
        val own = runBlocking { galleryApp.engine.import("own.tflite", File(output, "own-labels.tflite").inputStream()) }
        galleryApp.settings.change(galleryApp.settings.settings.value.with(own))
        waitUntil("the other bar") { chips(activity).any { it.tag == "smiling" } && activity.view(R.id.filter_all).isEnabled }
        filterAll(activity)
        assertEquals("Photo 1: smiling, 99%", descriptionOf(activity, 0))
        toggle(activity, "smiling")
        waitUntil("the filter") { tiles(activity).map { it.tile.label } == listOf("smiling", "smiling") }
        waitUntil("the thumbnails") { thumbnailsThere(*shownPlaces(activity)) }
        assertLooksLike("own-labels", activity)
    }

    @Test
    fun aRunCanBeCancelledAndGoesOn() {
        havePhotos(bundledPhotos)
        val activity = openGallery().get()
        activity.view(R.id.filter_all).performClick()
        waitUntil("the run") { state(activity).phase == Phase.FILTERING && state(activity).results.isNotEmpty() }
        assertTrue(activity.view(R.id.progress).isShown)
        assertEquals("Cancel", activity.text(R.id.filter_all))
        val status = activity.text(R.id.status)
        assertTrue(status, Regex("\\d+ of 25 photos").matches(status))
        activity.view(R.id.filter_all).performClick()
        waitUntil("the end of it") { state(activity).phase == Phase.BROWSING }
        assertFalse(activity.view(R.id.progress).isShown)
        val done = state(activity).results.size
        assertTrue("$done", done in 1 until bundledPhotos.size)
        filterAll(activity)
        assertTrue(tiles(activity).all { it.looked })
    }

    @Test
    fun aPhotoThatIsNewGoesThroughTheFilterToo() {
        havePhotos(some.dropLast(1))
        val controller = openGallery()
        val activity = controller.get()
        filterAll(activity)
        val ready = CountDownLatch(1)
        MediaProvider.slow = mapOf(some.last() to ready)
        MediaProvider.files = some
        controller.pause().stop().start().resume()
        waitUntil("the run") { activity.text(R.id.status) == "8 of 9 photos" && tiles(activity).size == 9 }
        assertTrue(activity.view(R.id.progress).isShown)
        assertLooksLike("filtering", activity)
        ready.countDown()
        waitUntil("the end of the run") { tiles(activity).all { it.looked } }
        assertEquals(Phase.FILTERED, state(activity).phase)
    }

    @Test
    fun aDamagedPhotoIsAMarkedTile() {
        val broken = File.createTempFile("broken", ".jpg")
        broken.writeBytes(some.first().readBytes().copyOf(300))
        havePhotos(listOf(broken) + some.take(2))
        val activity = openGallery().get()
        filterAll(activity)
        assertNotNull(tiles(activity).first().tile.error)
        assertEquals(listOf("happiness", "happiness"), tiles(activity).drop(1).map { it.tile.label })
        assertEquals("Photo 1: Can't be read", descriptionOf(activity, 0))
        waitUntil("thumbnails") { thumbnailsThere(1, 2) }
        waitUntil("the mark") { grid(activity).getChildAt(0).findViewById<ImageView>(R.id.image).scaleType == ImageView.ScaleType.CENTER }
        assertLooksLike("damaged", activity)
    }

    @Test
    fun aPhotoThatAppearsDuringARunIsFilteredToo() {
        havePhotos(some.dropLast(1))
        val controller = openGallery()
        val activity = controller.get()
        val ready = CountDownLatch(1)
        MediaProvider.slow = mapOf(some[7] to ready)
        activity.view(R.id.filter_all).performClick()
        waitUntil("the last one") { MediaProvider.opened.last() == some[7] }
        MediaProvider.files = some
        controller.pause().stop().start().resume()
        waitUntil("the new one") { state(activity).photos.size == 9 }
        ready.countDown()
        waitUntil("the end of the run") { state(activity).phase == Phase.FILTERED }
        assertEquals(9, state(activity).results.size)
    }

    @Test
    fun theSystemsBackLeavesTheFilterAndThenTheApp() {
        havePhotos(some.take(2))
        val activity = openGallery().get()
        filterAll(activity)
        toggle(activity, "happiness")
        activity.onBackPressedDispatcher.onBackPressed()
        waitUntil("the first state") { state(activity).phase == Phase.BROWSING }
        assertTrue(state(activity).selected.isEmpty())
        assertFalse(activity.isFinishing)
        activity.onBackPressedDispatcher.onBackPressed()
        assertTrue(activity.isFinishing)
    }

    @Test
    fun aTouchedPhotoOpens() {
        havePhotos(some)
        val activity = openGallery().get()
        waitUntil("tiles") { grid(activity).childCount > 0 }
        grid(activity).getChildAt(0).performClick()
        assertEquals(PhotoActivity::class.java.name, shadowOf(activity).nextStartedActivity.component!!.className)
    }

    @Test
    fun theGridFillsFourFifths() {
        havePhotos(some)
        val activity = openGallery().get()
        val content = activity.view(R.id.content)
        assertEquals(0.8, content.height.toDouble() / activity.view(R.id.body).height, 0.005)
        assertEquals(
            listOf("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt", "multiple"),
            chips(activity).map { it.tag },
        )
    }

    @Test
    @Config(qualifiers = "en-w640dp-h360dp-land-hdpi")
    fun landscape() {
        havePhotos(some)
        val activity = openGallery().get()
        filterAll(activity)
        val content = activity.view(R.id.content)
        assertEquals(0.8, content.width.toDouble() / activity.view(R.id.body).width, 0.005)
        assertAllReachable(activity)
        assertLooksLike("landscape", activity)
    }

    @Test
    @Config(qualifiers = "es-w360dp-h640dp-port-hdpi")
    fun spanish() {
        havePhotos(some)
        val activity = openGallery().get()
        filterAll(activity)
        assertEquals("Filtrar todo", activity.text(R.id.filter_all))
        assertTrue(descriptionOf(activity, 0).startsWith("Foto 1: Alegría, "))
        assertLooksLike("spanish", activity)
    }

    @Test
    @Config(qualifiers = "en-w360dp-h640dp-port-night-hdpi")
    fun dark() {
        havePhotos(some)
        val activity = openGallery().get()
        filterAll(activity)
        toggle(activity, "happiness")
        waitUntil("the filter") { tiles(activity).size == 2 }
        assertLooksLike("dark", activity)
    }

    @Test
    @Config(qualifiers = "ar-ldrtl-w360dp-h640dp-port-hdpi")
    fun rightToLeft() {
        havePhotos(some)
        val activity = openGallery().get()
        filterAll(activity)
        assertTrue(place(activity.view(R.id.filter_all)).left > place(activity.view(R.id.back)).left)
        assertAllReachable(activity)
        assertLooksLike("right-to-left", activity)
    }

    @Test
    fun largeFonts() {
        RuntimeEnvironment.setFontScale(2f)
        havePhotos(some)
        val activity = openGallery().get()
        filterAll(activity)
        assertAllReachable(activity)
        assertLooksLike("large-fonts", activity)
    }

    @Test
    @Config(qualifiers = "es-w360dp-h640dp-port-hdpi")
    fun largeFontsWithLongerWords() {
        RuntimeEnvironment.setFontScale(2f)
        havePhotos(some)
        assertAllReachable(openGallery().get())
    }

    @Test
    fun everythingThatCanBeTouchedIsLargeEnoughAndHasAName() {
        havePhotos(some)
        val activity = openGallery().get()
        filterAll(activity)
        val least = 48 * activity.resources.displayMetrics.density
        for (view in activity.view(R.id.root).shown().filter { it.hasOnClickListeners() }) {
            val name = view.contentDescription ?: (view as? TextView)?.text
            assertFalse("$view has no name", name.isNullOrEmpty())
            assertTrue("$view is ${view.width}×${view.height}", minOf(view.width, view.height) >= least - 1)
        }
    }
}
