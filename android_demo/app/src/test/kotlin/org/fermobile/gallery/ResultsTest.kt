package org.fermobile.gallery

import android.database.sqlite.SQLiteDatabase
import android.os.Bundle
import kotlinx.coroutines.runBlocking
import org.fermobile.core.Box
import org.fermobile.core.Face
import org.fermobile.core.Flaw
import org.fermobile.core.PhotoResult
import org.fermobile.core.Stage
import org.fermobile.gallery.gallery.GalleryActivity
import org.fermobile.gallery.logic.Expressions
import org.fermobile.gallery.logic.Phase
import org.fermobile.gallery.logic.PhotoSummary
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.security.MessageDigest

/** What is kept of results, and of which model they are. */
@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi")
class ResultsTest {
    private val some = GALLERY_PHOTOS

    @Test
    fun resultsSurviveRotationAndTheEndOfTheProcess() {
        havePhotos(some)
        val controller = openGallery()
        filterAll(controller.get())
        toggle(controller.get(), "happiness")
        waitUntil("the filter") { tiles(controller.get()).size == 2 }
        controller.recreate()
        waitUntil("the same after a rotation") { tiles(controller.get()).size == 2 }

        // What only the store can know: were it computed again, it would be happiness.
        val known = state(controller.get())
        val first = known.photos.first()
        runBlocking { galleryApp.results.put(known.identity, mapOf(first to PhotoResult(label = "sadness"))) }
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
        val activity = openGallery().get()
        filterAll(activity)
        val before = state(activity).identity
        runBlocking { galleryApp.results.put(before, mapOf(state(activity).photos.first() to PhotoResult(label = "fear"))) }
        val float16 = File(repository, "models/xcao_two_stream/xcao_two_stream_float16.tflite")
        use(float16, "another.tflite")
        waitUntil("the other model") { state(activity).identity.let { it.isNotEmpty() && it != before } }
        assertEquals(Phase.BROWSING, state(activity).phase)
        filterAll(activity)
        assertEquals(listOf("happiness", "happiness"), tiles(activity).map { it.tile.label })
    }

    @Test
    fun anotherFileOfTheSameNameIsAnotherModel() {
        havePhotos(some.take(1))
        val activity = openGallery().get()
        use(shippedFile("xcao_two_stream", "float16"), "mine.tflite")
        waitUntil("the first model") { modelOf(activity) == "xcao_two_stream" && "mine" in chosenModel() }
        use(shippedFile("compact", "int8"), "mine.tflite")
        waitUntil("the second model") { modelOf(activity) == "compact" }
    }

    @Test
    fun theIdentityNamesTheDetector() {
        havePhotos(some.take(1))
        val detector = File(repository, "models/yunet/face_detection_yunet.tflite").readBytes()
        val sha256 = MessageDigest.getInstance("SHA-256").digest(detector).joinToString("") { "%02x".format(it) }
        assertTrue(state(openGallery().get()).identity, state(openGallery().get()).identity.endsWith(" detector $sha256 orient auto"))
    }

    @Test
    fun aPhotoThatFailedIsTriedAgain() {
        havePhotos(some.take(2))
        MediaProvider.closed = setOf(some[0])
        val activity = openGallery().get()
        filterAll(activity)
        assertNotNull(tiles(activity).first().tile.error)
        val identity = state(activity).identity
        assertEquals("errors are not stored", 1, runBlocking { galleryApp.results.all(identity) }.size)
        MediaProvider.closed = emptySet()
        filterAll(activity)
        assertEquals(listOf("happiness", "happiness"), tiles(activity).map { it.tile.label })
    }

    @Test
    fun resultsOfWhatIsGoneAreForgotten() {
        havePhotos(some.take(2))
        val first = openGallery().get()
        filterAll(first)
        val identity = state(first).identity
        runBlocking { galleryApp.results.put("another model", mapOf("a photo" to PhotoResult(label = "fear"))) }
        MediaProvider.files = some.take(1)
        openGallery()
        waitUntil("the end of the others") {
            runBlocking { galleryApp.results.all(identity).size == 1 && galleryApp.results.all("another model").isEmpty() }
        }
    }

    @Test
    fun poorFacesAreUnsureAsSoonAsTheSettingSaysSo() {
        havePhotos(some.take(2) + smallFace())
        val controller = openGallery()
        filterAll(controller.get())
        galleryApp.settings.changeMinQuality(80)
        waitUntil("the chip") { chips(controller.get()).last().text == "❓ Unsure 1" }
        waitUntil("the tile") { tiles(controller.get()).last().tile.flaw == Flaw.TOO_SMALL }
        assertEquals("Photo 3: Unsure, too small", descriptionOf(controller.get(), 2))
        assertEquals("😀 Happiness 2", chips(controller.get()).first { it.tag == "happiness" }.text)
        toggle(controller.get(), Expressions.UNSURE)
        waitUntil("the filter") { tiles(controller.get()).size == 1 }
        waitUntil("thumbnails") { thumbnailsThere() }
        assertLooksLike("unsure", controller.get())

        controller.pause().stop().destroy()
        val again = openGallery().get()
        filterAll(again)
        assertEquals("from the store", Expressions.UNSURE, tiles(again).last().tile.label)
        galleryApp.settings.changeMinQuality(0)
        waitUntil("no unsure face") { tiles(again).all { it.tile.label == "happiness" } }
        assertEquals(Expressions.MULTIPLE, chips(again).last().tag)
    }

    /** Rows of version 2 of the database have neither quality nor flaw. */
    @Test
    fun resultsOfBeforeQualityWasStoredAreRead() {
        val file = galleryApp.getDatabasePath("results.db").apply { parentFile!!.mkdirs() }
        SQLiteDatabase.openOrCreateDatabase(file, null).use {
            it.execSQL(
                "CREATE TABLE results (identity TEXT NOT NULL, photo TEXT NOT NULL, label TEXT, confidence REAL, " +
                    "result TEXT NOT NULL, PRIMARY KEY (identity, photo)) WITHOUT ROWID",
            )
            val face = """{"box":[1,2,30,40],"label":"fear","confidence":0.5,"probabilities":{"fear":0.5},"tilt":null,"levelled":false}"""
            val old = """{"label":"fear","confidence":0.5,"error":null,"width":64,"height":48,"turn":0,"faces":[$face],"stages":{}}"""
            it.execSQL("INSERT INTO results VALUES ('model', 'photo', 'fear', 0.5, ?)", arrayOf(old))
            it.version = 2
        }
        val store = galleryApp.results
        val face = Face(Box(1.0, 2.0, 30.0, 40.0), "fear", 0.5f, mapOf("fear" to 0.5f))
        runBlocking {
            assertEquals(mapOf("photo" to PhotoSummary("fear", 0.5f)), store.all("model"))
            assertEquals(listOf(face), store.get("model", "photo")!!.faces)
            val poor = PhotoResult("fear", 0.5f, listOf(face.copy(quality = 0.3, flaw = Flaw.TILTED)), width = 64, height = 48)
            store.put("model", mapOf("photo" to poor))
            assertEquals(poor, store.get("model", "photo"))
            assertEquals(mapOf("photo" to PhotoSummary("fear", 0.5f, 0.3, Flaw.TILTED)), store.all("model"))
        }
    }

    @Test
    fun aReturnReadsNothingAgain() {
        havePhotos(some.take(2))
        val controller = openGallery()
        filterAll(controller.get())
        val before = state(controller.get()).results
        controller.pause().stop().start().resume()
        waitUntil("the return") { grid(controller.get()).isShown }
        assertTrue(before.all { (photo, result) -> state(controller.get()).results[photo] === result })
    }

    /** benchmarks/android_gallery.py makes a row of its times. */
    @Test
    fun tenThousandPhotosAreListedWithoutBeingOpened() {
        havePhotos(List(10_000) { some[it % some.size] })
        val controller = openGallery()
        val activity = controller.get()
        waitUntil("all photos") { tiles(activity).size == 10_000 }
        assertTrue("${grid(activity).childCount}", grid(activity).childCount < 60)

        val before = usedMegabytes()
        val face = Face(Box(1.0, 2.0, 30.0, 40.0), "fear", 0.5f, Expressions.LABELS.associateWith { 0.125f }, 12.5, levelled = true)
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

        val read = milliseconds { runBlocking { galleryApp.results.all(gallery.identity) } }
        grid(activity).scrollBy(0, grid(activity).height)
        val page = milliseconds { repeat(PAGES) { grid(activity).scrollBy(0, grid(activity).height) } } / PAGES
        assertTrue(tiles(activity).size == 10_000 && descriptionOf(activity, firstShown(activity)).endsWith("Fear, 50%"))
        File(output, "gallery_screen.json").writeText(
            "{\"read_stored_results_ms\": $read, \"scroll_by_a_page_ms\": $page}",
        )
    }

    private fun milliseconds(work: () -> Unit): Double {
        val start = System.nanoTime()
        work()
        return (System.nanoTime() - start) / 1e6
    }

    private fun firstShown(activity: GalleryActivity): Int = grid(activity).getChildAdapterPosition(grid(activity).getChildAt(0))

    private fun usedMegabytes(): Long {
        repeat(3) {
            System.gc()
            Thread.sleep(100)
        }
        return Runtime.getRuntime().run { totalMemory() - freeMemory() } shr 20
    }

    private fun shippedFile(model: String, precision: String) = File(repository, "models/$model/${model}_$precision.tflite")

    private fun use(file: File, name: String) {
        val entry = runBlocking { galleryApp.engine.import(name, file.inputStream()) }
        galleryApp.settings.change(galleryApp.settings.settings.value.with(entry))
    }

    private fun chosenModel() = galleryApp.settings.settings.value.model.orEmpty()

    private fun modelOf(activity: GalleryActivity): String {
        shadowOf(activity.mainLooper).idle()
        return runBlocking { galleryApp.engine.use(galleryApp.settings.settings.value) { it.model.contract.name } }
    }

    private companion object {
        const val PAGES = 50
    }
}
