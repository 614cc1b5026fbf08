package org.fermobile.gallery

import android.Manifest
import android.graphics.Rect
import android.os.Bundle
import android.provider.MediaStore
import android.view.View
import android.widget.TextView
import androidx.lifecycle.ViewModelProvider
import androidx.recyclerview.widget.RecyclerView
import com.google.android.material.chip.Chip
import com.google.android.material.chip.ChipGroup
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.fermobile.core.Box
import org.fermobile.core.Expressions
import org.fermobile.core.Face
import org.fermobile.core.Phase
import org.fermobile.core.PhotoResult
import org.fermobile.core.Stage
import org.fermobile.gallery.gallery.GalleryActivity
import org.fermobile.gallery.gallery.GalleryViewModel
import org.fermobile.gallery.gallery.ShownTile
import org.fermobile.gallery.gallery.TileAdapter
import org.fermobile.gallery.photo.PhotoActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.util.concurrent.CountDownLatch
import kotlin.math.abs

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi")
class GalleryTest {
    private val some = bundled(
        "astronaut-smile", "baby-laughing", "cat", "four-portraits", "gray-man-frown", "gray-man-raised-brows",
        "hopper-portrait", "santa-surprised", "woman-turning",
    )

    @Test
    fun firstRunExplainsItselfAndAsksForAccess() {
        havePhotos(some, permitted = false)
        val controller = open(loaded = false)
        val activity = controller.get()
        waitUntil("the welcome") { activity.view(R.id.welcome).isShown }
        assertFalse(activity.view(R.id.filter_all).isEnabled)
        assertLooksLike("first-run", activity)

        activity.view(R.id.allow).performClick()
        val asked = shadowOf(activity).lastRequestedPermission.requestedPermissions.toSet()
        assertEquals(
            setOf(Manifest.permission.READ_MEDIA_IMAGES, Manifest.permission.READ_MEDIA_VISUAL_USER_SELECTED), asked,
        )
        shadowOf(galleryApp).grantPermissions(Manifest.permission.READ_MEDIA_VISUAL_USER_SELECTED)
        controller.pause().stop().start().resume()
        waitUntil("the photos") { tiles(activity).size == some.size }
        assertFalse(activity.view(R.id.welcome).isShown)
    }

    @Test
    fun chosenPhotosNeedNoPermission() {
        havePhotos(some, permitted = false)
        val activity = open(loaded = false).get()
        waitUntil("the welcome") { activity.view(R.id.welcome).isShown }
        activity.view(R.id.choose).performClick()
        assertEquals(MediaStore.ACTION_PICK_IMAGES, shadowOf(activity).nextStartedActivityForResult.intent.action)
        ViewModelProvider(activity)[GalleryViewModel::class.java].choose(listOf(uriOf(0), uriOf(1)))
        waitUntil("the photos") { tiles(activity).size == 2 && activity.view(R.id.filter_all).isEnabled }
        assertFalse(activity.view(R.id.welcome).isShown)
        filterAll(activity)
        assertEquals(listOf("happiness", "happiness"), tiles(activity).map { it.tile.label })
        assertEquals("they are still there at the next start", 2, tiles(open().get()).size)
    }

    @Test
    fun everyBundledPhotoGetsTheLabelThatPythonGivesIt() {
        havePhotos(bundledPhotos)
        val activity = open().get()
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
        val activity = open().get()
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
        val activity = open().get()
        filterAll(activity)
        toggle(activity, "happiness")
        toggle(activity, "surprise")
        waitUntil("two expressions") {
            tiles(activity).map { it.tile.label } == listOf("happiness", "happiness", "surprise")
        }
        waitUntil("thumbnails") { thumbnailsThere() }
        assertLooksLike("filtered-by-two", activity)

        toggle(activity, "happiness")
        toggle(activity, "surprise")
        toggle(activity, Expressions.MULTIPLE)
        waitUntil("several faces") { tiles(activity).map { it.tile.label } == listOf(Expressions.MULTIPLE) }
        assertLooksLike("multiple", activity)

        toggle(activity, Expressions.MULTIPLE)
        toggle(activity, "contempt")
        waitUntil("nothing") { tiles(activity).isEmpty() }
        assertTrue(activity.getString(R.string.nothing_matches) in activity.texts())
        assertLooksLike("nothing", activity)

        activity.view(R.id.back).performClick()
        waitUntil("the first state") { tiles(activity).size == some.size }
        assertTrue(tiles(activity).none { it.looked || it.tile.label != null })
        assertTrue(chips(activity).none(Chip::isChecked))
        assertFalse(activity.view(R.id.back).isEnabled)
    }

    @Test
    fun aRunCanBeCancelledAndGoesOn() {
        havePhotos(bundledPhotos)
        val activity = open().get()
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
        val controller = open()
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
        val activity = open().get()
        filterAll(activity)
        assertNotNull(tiles(activity).first().tile.error)
        assertEquals(listOf("happiness", "happiness"), tiles(activity).drop(1).map { it.tile.label })
        assertEquals("Photo 1: Can't be opened", descriptionOf(activity, 0))
        waitUntil("thumbnails") { thumbnailsThere(1, 2) }
        assertLooksLike("damaged", activity)
    }

    @Test
    fun resultsSurviveRotationAndTheEndOfTheProcess() {
        havePhotos(some)
        val controller = open()
        filterAll(controller.get())
        toggle(controller.get(), "happiness")
        waitUntil("the filter") { tiles(controller.get()).size == 2 }
        controller.recreate()
        waitUntil("the same after a rotation") { tiles(controller.get()).size == 2 }

        // What only the store can know: were it computed again, it would be happiness.
        val known = state(controller.get())
        val first = known.photos.first()
        val changed = known.results.getValue(first).copy(label = "sadness")
        runBlocking { galleryApp.results.put(known.identity, mapOf(first to changed)) }
        val saved = Bundle()
        controller.pause().stop().saveInstanceState(saved).destroy()
        val again = Robolectric.buildActivity(GalleryActivity::class.java).create(saved).start().restoreInstanceState(saved).resume().visible()
        waitUntil("the state of before") { state(again.get()).phase == Phase.FILTERED }
        waitUntil("the filter of before") { tiles(again.get()).size == 1 }
        assertEquals("sadness", state(again.get()).results.getValue(first).label)
    }

    @Test
    fun anotherModelComputesAnew() {
        havePhotos(some.take(2))
        val activity = open().get()
        filterAll(activity)
        val before = state(activity).identity
        runBlocking { galleryApp.results.put(before, mapOf(state(activity).photos.first() to PhotoResult(label = "fear"))) }
        val float16 = File(repository, "models/xcao_two_stream/xcao_two_stream_float16.tflite")
        val key = runBlocking { galleryApp.engine.import(float16.name, float16.inputStream()) }
        galleryApp.settings.change(galleryApp.settings.settings.value.copy(model = key))
        waitUntil("the other model") { state(activity).identity.let { it.isNotEmpty() && it != before } }
        assertEquals(Phase.BROWSING, state(activity).phase)
        filterAll(activity)
        assertEquals(listOf("happiness", "happiness"), tiles(activity).map { it.tile.label })
    }

    @Test
    fun aTouchedPhotoOpens() {
        havePhotos(some)
        val activity = open().get()
        waitUntil("tiles") { grid(activity).childCount > 0 }
        grid(activity).getChildAt(0).performClick()
        assertEquals(PhotoActivity::class.java.name, shadowOf(activity).nextStartedActivity.component!!.className)
    }

    @Test
    fun theGridFillsFourFifths() {
        havePhotos(some)
        val activity = open().get()
        val root = activity.view(R.id.root)
        val inside = root.height - root.paddingTop - root.paddingBottom
        assertEquals(0.8, activity.view(R.id.content).height.toDouble() / inside, 0.005)
        assertEquals(
            listOf("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt", "multiple"),
            chips(activity).map { it.tag },
        )
    }

    @Test
    @Config(qualifiers = "en-w640dp-h360dp-land-hdpi")
    fun landscape() {
        havePhotos(some)
        val activity = open().get()
        filterAll(activity)
        val root = activity.view(R.id.root)
        val inside = root.width - root.paddingLeft - root.paddingRight
        assertEquals(0.8, activity.view(R.id.content).width.toDouble() / inside, 0.005)
        assertAllReachable(activity)
        assertLooksLike("landscape", activity)
    }

    @Test
    @Config(qualifiers = "es-w360dp-h640dp-port-hdpi")
    fun spanish() {
        havePhotos(some)
        val activity = open().get()
        filterAll(activity)
        assertEquals("Filtrar todo", activity.text(R.id.filter_all))
        assertTrue(descriptionOf(activity, 0).startsWith("Foto 1: Alegría, "))
        assertLooksLike("spanish", activity)
    }

    @Test
    @Config(qualifiers = "en-w360dp-h640dp-port-night-hdpi")
    fun dark() {
        havePhotos(some)
        val activity = open().get()
        filterAll(activity)
        toggle(activity, "happiness")
        waitUntil("the filter") { tiles(activity).size == 2 }
        assertLooksLike("dark", activity)
    }

    @Test
    @Config(qualifiers = "ar-ldrtl-w360dp-h640dp-port-hdpi")
    fun rightToLeft() {
        havePhotos(some)
        val activity = open().get()
        filterAll(activity)
        assertTrue(place(activity.view(R.id.filter_all)).left > place(activity.view(R.id.back)).left)
        assertAllReachable(activity)
        assertLooksLike("right-to-left", activity)
    }

    @Test
    fun largeFonts() {
        RuntimeEnvironment.setFontScale(2f)
        havePhotos(some)
        val activity = open().get()
        filterAll(activity)
        assertAllReachable(activity)
        assertLooksLike("large-fonts", activity)
    }

    @Test
    @Config(qualifiers = "es-w360dp-h640dp-port-hdpi")
    fun largeFontsWithLongerWords() {
        RuntimeEnvironment.setFontScale(2f)
        havePhotos(some)
        assertAllReachable(open().get())
    }

    @Test
    fun everythingThatCanBeTouchedIsLargeEnoughAndHasAName() {
        havePhotos(some)
        val activity = open().get()
        filterAll(activity)
        val least = 48 * activity.resources.displayMetrics.density
        for (view in activity.view(R.id.root).shown().filter { it.hasOnClickListeners() }) {
            val name = view.contentDescription ?: (view as? TextView)?.text
            assertFalse("$view has no name", name.isNullOrEmpty())
            assertTrue("$view is ${view.width}×${view.height}", minOf(view.width, view.height) >= least - 1)
        }
    }

    @Test
    fun tenThousandPhotosAreListedWithoutBeingOpened() {
        havePhotos(List(10_000) { some[it % some.size] })
        val controller = open()
        val activity = controller.get()
        waitUntil("all photos") { tiles(activity).size == 10_000 }
        assertTrue("${grid(activity).childCount}", grid(activity).childCount < 60)

        val before = usedMegabytes()
        val face = Face(Box(1.0, 2.0, 30.0, 40.0), "fear", 0.5f, Expressions.LABELS.associateWith { 0.125f })
        val stages = Stage.entries.associateWith { 1.5 }
        val gallery = state(activity)
        runBlocking {
            val results = gallery.photos.associateWith { PhotoResult("fear", 0.5f, listOf(face), null, 640, 480, stages) }
            galleryApp.results.put(gallery.identity, results)
        }
        controller.pause().stop().start().resume()
        waitUntil("their results") { state(activity).results.size == 10_000 }
        activity.view(R.id.filter_all).performClick()
        waitUntil("all tiles") { tiles(activity).let { tiles -> tiles.size == 10_000 && tiles.all { it.looked } } }
        val more = usedMegabytes() - before
        println("10,000 results: $more MB after $before MB")
        assertTrue("$more MB", more < 48) // Android 7's smallest phones give an app 64 MB
    }

    private fun usedMegabytes(): Long {
        repeat(3) {
            System.gc()
            Thread.sleep(100)
        }
        return Runtime.getRuntime().run { totalMemory() - freeMemory() } shr 20
    }

    private fun open(loaded: Boolean = true): ActivityController<GalleryActivity> {
        val controller = Robolectric.buildActivity(GalleryActivity::class.java).setup()
        if (loaded) waitUntil("model and photos") { controller.get().view(R.id.filter_all).isEnabled }
        return controller
    }

    private fun filterAll(activity: GalleryActivity) {
        activity.view(R.id.filter_all).performClick()
        waitUntil("the end of the run") { state(activity).phase == Phase.FILTERED }
        waitUntil("the grid") { tiles(activity).all { it.looked } && thumbnailsThere(*shownPlaces(activity)) }
    }

    private fun toggle(activity: GalleryActivity, label: String) {
        chips(activity).first { it.tag == label }.performClick()
    }

    private fun state(activity: GalleryActivity) =
        ViewModelProvider(activity)[GalleryViewModel::class.java].screen.value.gallery

    private fun grid(activity: GalleryActivity): RecyclerView = activity.findViewById(R.id.grid)

    private fun tiles(activity: GalleryActivity): List<ShownTile> = (grid(activity).adapter as TileAdapter).currentList

    private fun chips(activity: GalleryActivity): List<Chip> =
        activity.findViewById<ChipGroup>(R.id.bar).let { bar -> List(bar.childCount) { bar.getChildAt(it) as Chip } }

    private fun descriptionOf(activity: GalleryActivity, position: Int): String {
        waitUntil("tile $position") { grid(activity).findViewHolderForAdapterPosition(position) != null }
        return grid(activity).findViewHolderForAdapterPosition(position)!!.itemView.contentDescription.toString()
    }

    private fun shownPlaces(activity: GalleryActivity): IntArray {
        val photos = state(activity).photos
        val shown = tiles(activity)
        return IntArray(minOf(grid(activity).childCount, shown.size)) { photos.indexOf(shown[it].tile.photo) }
    }

    /** Whether the thumbnails of these photos (all of them where none is named) are loaded. */
    private fun thumbnailsThere(vararg places: Int): Boolean {
        val photos = galleryApp.library.photos()
        val asked = if (places.isEmpty()) photos.indices.toList() else places.filter { it >= 0 }
        return asked.all { galleryApp.thumbnails.cached(photos[it]) != null || MediaProvider.files[it].length() == 300L }
    }

    private fun assertAllReachable(activity: GalleryActivity) {
        val screen = place(activity.view(R.id.root))
        for (id in listOf(R.id.filter_all, R.id.back, R.id.more, R.id.bar_scroll)) {
            val view = activity.view(id)
            val name = activity.resources.getResourceEntryName(id)
            assertTrue("$name ${place(view)} outside $screen", screen.contains(place(view)))
            assertTrue("$name has no room", view.width > 0 && view.height >= 32)
        }
        val filter = activity.findViewById<TextView>(R.id.filter_all)
        assertTrue("text is cut", filter.layout.height <= filter.height && abs(filter.layout.getEllipsisCount(0)) == 0)
        val status = activity.findViewById<TextView>(R.id.status)
        val lines = List(status.layout.lineCount) { status.text.substring(status.layout.getLineStart(it), status.layout.getLineEnd(it)) }
        assertTrue("status is cut: $lines", lines.size <= 2 && lines.dropLast(1).all { it.endsWith(" ") })
    }

    private fun place(view: View) = Rect().also {
        val corner = IntArray(2).also(view::getLocationInWindow)
        it.set(corner[0], corner[1], corner[0] + view.width, corner[1] + view.height)
    }
}

internal fun android.app.Activity.view(id: Int): View = findViewById(id)

internal fun android.app.Activity.text(id: Int): String = findViewById<TextView>(id).text.toString()
