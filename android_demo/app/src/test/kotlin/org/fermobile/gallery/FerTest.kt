package org.fermobile.gallery

import android.graphics.Bitmap
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.fermobile.core.ArgbImage
import org.fermobile.core.Box
import org.fermobile.core.ContractException
import org.fermobile.core.Detection
import org.fermobile.core.FaceDetector
import org.fermobile.core.InputException
import org.fermobile.core.Photo
import org.fermobile.core.PhotoSource
import org.fermobile.core.Point
import org.fermobile.core.Region
import org.fermobile.core.TensorModel
import org.fermobile.core.Turn
import org.fermobile.core.boxOf
import org.fermobile.core.shrink
import org.fermobile.fer.Accelerator
import org.fermobile.fer.Cpu
import org.fermobile.fer.Fer
import org.fermobile.fer.FerOptions
import org.fermobile.fer.Gpu
import org.fermobile.fer.mapped
import org.fermobile.fer.onOneThread
import org.fermobile.fer.openYuNet
import org.fermobile.fer.photoSource
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.CountDownLatch

/** The library by itself, on the bundled photos, against what `fer-mobile predict` says of them. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], application = TestGalleryApp::class)
@Category(OfflineProof::class)
class FerTest {
    private val expected: Map<String, JsonObject> by lazy {
        Json.parseToJsonElement(File(output, "expected.json").readText()).jsonArray.map { it.jsonObject }
            .associateBy { File(it.getValue("path").jsonPrimitive.content).name }
    }

    private fun labelOf(file: File) = expected.getValue(file.name).getValue("label").jsonPrimitive.contentOrNull

    private fun create(detector: FaceDetector? = null) = Fer.create(galleryApp, options = FerOptions(detector = detector))

    private fun yunet() = openYuNet(galleryApp.assets.mapped(Fer.DETECTOR))

    private fun source(file: File) = photoSource(file::inputStream)

    private fun bitmapOf(file: File): Bitmap = with(source(file).load(1280).image) {
        Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
    }

    @Test
    fun aPhotoThatIsTooLargeForThePhoneIsAResult() = create().use { fer ->
        val result = runBlocking { fer.analyse(PhotoSource { throw OutOfMemoryError() }) }
        assertTrue(result.tooLarge)
        assertEquals("the photo: expected one that can be analysed, found one too large for this phone.", result.error)
    }

    @Test
    fun anyThreadMayAskAndGetsPythonsLabels() = create().use { fer ->
        havePhotos(GALLERY_PHOTOS)
        val found = runBlocking {
            GALLERY_PHOTOS.indices.map { async(Dispatchers.IO) { fer.analyse(uriOf(it)).label } }.awaitAll()
        }
        assertEquals(GALLERY_PHOTOS.map(::labelOf), found)
        assertEquals(labelOf(GALLERY_PHOTOS[0]), fer.analyseBlocking(bitmapOf(GALLERY_PHOTOS[0])).label)
        assertEquals("cpu", fer.accelerator)
        assertNull(fer.fallback)
    }

    /** A detector whose boxes are of another kind: landmarks alone make ours of them. */
    private class Loose(private val yunet: FaceDetector) : FaceDetector by yunet {
        override val identity = "loose"

        override fun detect(image: ArgbImage): List<Detection> =
            yunet.detect(image).map { it.copy(box = boxOf(it.landmarks)) }
    }

    @Test
    fun aFaceFramedByItsLandmarksGetsTheSameLabel() = create(Loose(yunet())).use { fer ->
        val same = bundledPhotos.count { labelOf(it) == runBlocking { fer.analyse(source(it)).label } }
        assertTrue("$same of ${bundledPhotos.size}", same >= bundledPhotos.size - 1)
        assertTrue("detector loose" in fer.identity)
    }

    @Test
    fun aFaceThatIsKnownIsClassifiedWhateverItsBox() = create().use { fer ->
        val photo = bitmapOf(bundled("astronaut-smile").single())
        val detection = yunet().use { it.detect(pixelsOf(photo)).first() }
        val loose = with(detection.box) { Box(x - width, y - height, 3 * width, 3 * height) }
        val byBox = fer.classifyBlocking(photo, detection.box)
        val byLandmarks = fer.classifyBlocking(photo, loose, detection.landmarks)
        assertEquals("happiness", byBox.label)
        assertEquals("happiness", byLandmarks.label)
        assertEquals(loose, byLandmarks.box)
    }

    @Test
    fun landmarksOfAMirroredFaceAreRefusedAndThoseOfATurnedOneAreNot() = create().use { fer ->
        val photo = bitmapOf(bundled("astronaut-smile").single())
        val detection = yunet().use { it.detect(pixelsOf(photo)).first() }
        val (right, left, nose, mouthRight, mouthLeft) = detection.landmarks
        fun refused(vararg points: Point) = assertThrows(InputException::class.java) {
            fer.classifyBlocking(photo, detection.box, points.toList())
        }.message!!
        assertEquals(
            "landmarks: expected the person's right eye first, on the left of a picture that is not mirrored, found a mirrored face. " +
                "Right and left are the person's.",
            refused(left, right, nose, mouthLeft, mouthRight),
        )
        assertTrue("a mirrored face" in refused(left, right, nose, mouthRight, mouthLeft))
        assertTrue("5 points or none, found 4" in refused(right, left, nose, mouthRight))
        val halfTurned = Turn.HALF.back(detection, photo.width, photo.height)
        val upsideDown = with(Turn.HALF.of(pixelsOf(photo))) { Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888) }
        val found = fer.classifyBlocking(upsideDown, halfTurned.box, halfTurned.landmarks)
        assertEquals("happiness" to true, found.label to found.levelled)
    }

    private fun pixelsOf(photo: Bitmap): ArgbImage {
        val pixels = IntArray(photo.width * photo.height)
        photo.getPixels(pixels, 0, photo.width, 0, 0, photo.width, photo.height)
        return ArgbImage(photo.width, photo.height, pixels)
    }

    @Test
    fun whereTheGpuCannotTheCpuDoesAndSaysWhy() {
        val broken = FerOptions(accelerator = Gpu { throw UnsupportedOperationException("no OpenCL") })
        Fer.create(galleryApp, options = broken).use { fer ->
            assertEquals("cpu", fer.accelerator)
            assertTrue(fer.fallback, "no OpenCL" in fer.fallback!!)
            val photo = bundled("astronaut-smile").single()
            assertEquals("happiness", runBlocking { fer.analyse(source(photo)).label })
        }
        Fer.create(galleryApp, "compact", FerOptions(accelerator = Gpu { error("not asked for") })).use { fer ->
            assertEquals("cpu", fer.accelerator)
            val verdict = "compact_int8.tflite: its contract's verdict on the GPU is \"differs\". "
            assertTrue(fer.fallback, fer.fallback!!.startsWith(verdict))
        }
    }

    @Test
    fun anAcceleratorThatFailsAtItsFirstRunIsNotUsed() {
        val failing = object : Accelerator by Cpu() {
            override val name = "gpu"

            override fun open(content: ByteBuffer, threads: Int): TensorModel {
                val model = Cpu().open(content, threads)
                return object : TensorModel by model {
                    override fun run(values: ByteBuffer, shape: List<Int>) = throw IllegalArgumentException("the GPU is gone")
                }
            }
        }
        Fer.create(galleryApp, options = FerOptions(accelerator = failing)).use { fer ->
            assertEquals("cpu", fer.accelerator)
            assertTrue(fer.fallback, "the GPU is gone" in fer.fallback!!)
        }
    }

    @Test
    fun aModelOfOneThreadIsOpenedRunAndClosedThere() {
        val threads = mutableListOf<Thread>()
        val content = galleryApp.assets.mapped("models/${Fer.DEFAULT_MODEL}")
        val model = onOneThread {
            threads += Thread.currentThread()
            val model = Cpu().open(content, 1)
            object : TensorModel by model {
                override fun run(values: ByteBuffer, shape: List<Int>) =
                    model.run(values, shape).also { threads += Thread.currentThread() }

                override fun close() {
                    threads += Thread.currentThread()
                    model.close()
                }
            }
        }
        fun black() = ByteBuffer.allocateDirect(model.input.shape.reduce(Int::times)).order(ByteOrder.nativeOrder())
        val here = Cpu().open(content, 1).use { it.run(black()).values.single().get(0) }
        assertEquals(here, model.run(black()).values.single().get(0))
        assertThrows(IllegalArgumentException::class.java) { model.run(ByteBuffer.allocateDirect(1)) }
        model.close()
        assertEquals(1, threads.toSet().size)
        assertTrue(threads.first() !== Thread.currentThread())
    }

    @Test
    fun photosAreTurnedUnlessToldOtherwise() {
        val upright = source(bundled("astronaut-smile").single()).load(1280).image
        val lying = PhotoSource { Photo(upright.upright(6)) }
        fun found(options: FerOptions) = Fer.create(galleryApp, options = options).use { runBlocking { it.analyse(lying) } }
        assertEquals(Turn.THREE_QUARTERS to "happiness", found(FerOptions()).let { it.turn to it.label })
        assertEquals(Turn.NONE, found(FerOptions(orient = false)).turn)
    }

    /** A photo that is decoded at 160 pixels, and whole when asked again, but on a phone with little memory. */
    private class Narrow(
        private val whole: ArgbImage, private val roomy: Boolean, private val parts: Boolean,
    ) : PhotoSource {
        private var loads = 0

        override fun load(minLongSide: Int): Photo {
            val shown = if (loads++ == 0 || !roomy) shrink(whole, 160) else whole
            return Photo(shown, whole.width, whole.height)
        }

        override fun loadPart(part: Region): ArgbImage? = if (!parts) null else ArgbImage(
            part.width, part.height,
            IntArray(part.width * part.height) {
                whole.pixels[(part.top + it / part.width) * whole.width + part.left + it % part.width]
            },
        )
    }

    @Test
    fun whereMemoryIsShortASmallFaceIsReadAlone() = create().use { fer ->
        val upright = source(bundled("four-portraits").single()).load(1280).image
        for (photo in listOf(upright, upright.upright(6), upright.upright(3))) {
            fun faces(roomy: Boolean, parts: Boolean = false) =
                runBlocking { fer.analyse(Narrow(photo, roomy, parts)) }.also { assertEquals(4, it.faces.size) }
            assertEquals(faces(roomy = true).faces, faces(roomy = false, parts = true).faces)
            assertTrue(faces(roomy = true).faces != faces(roomy = false).faces)
        }
    }

    @Test
    fun aCancelledCallEndsBeforeItsNextStage() = runBlocking {
        var asked = 0
        val counting = object : FaceDetector by yunet() {
            override fun detect(image: ArgbImage): List<Detection> = emptyList<Detection>().also { asked++ }
        }
        create(counting).use { fer ->
            val started = CountDownLatch(1)
            val release = CountDownLatch(1)
            val photo = source(bundled("cat").single())
            var ended: Throwable? = null
            val call = launch(Dispatchers.IO) {
                try {
                    fer.analyse(PhotoSource { side ->
                        started.countDown()
                        release.await()
                        photo.load(side)
                    })
                } catch (error: CancellationException) {
                    ended = error
                }
            }
            started.await()
            call.cancel()
            release.countDown()
            call.join()
            assertTrue("$ended", ended is CancellationException)
            assertEquals(0, asked)
            assertNull(fer.analyse(photo).label)
            assertTrue("$asked", asked > 0)
        }
    }

    @Test
    fun whatIsNotThereOrClosedIsSaid() {
        fun missing(model: String) = assertThrows(ContractException::class.java) { Fer.create(galleryApp, model) }.message
        assertEquals(
            "model xcao: expected a file among the app's assets, found no xcao.tflite or xcao_int8.tflite, there or in models/. " +
                "Put it there: fer-mobile export xcao --out app/src/main/assets",
            missing("xcao"),
        )
        for (model in listOf("compact_float16", "compact_float16.tflite", "models/compact_float16")) {
            val command = "Put it there: fer-mobile export compact --quantize float16 --out app/src/main/assets"
            assertTrue(model, missing(model)!!.endsWith(command))
        }
        assertTrue("fer-mobile export mine --quantize none --out" in missing("mine_float32")!!)
        assertTrue("fer-mobile export mine --out" in missing("mine_int8")!!)
        for (model in listOf("compact", "compact_int8", "compact_int8.tflite", "models/compact")) {
            Fer.create(galleryApp, model).use { assertEquals("compact_int8.tflite", it.model.name) }
        }
        val fer = create()
        fer.close()
        fer.close()
        val closed = assertThrows(IllegalStateException::class.java) { fer.analyseBlocking(bitmapOf(bundled("cat").single())) }
        assertEquals("this Fer is closed", closed.message)
    }
}
