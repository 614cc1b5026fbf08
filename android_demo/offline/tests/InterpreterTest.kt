package org.fermobile.offline

import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import org.fermobile.core.ArgbImage
import org.fermobile.core.Box
import org.fermobile.core.Classifier
import org.fermobile.core.Contract
import org.fermobile.core.ContractException
import org.fermobile.core.Detection
import org.fermobile.core.Golden
import org.fermobile.core.InputException
import org.fermobile.core.Models
import org.fermobile.core.Photo
import org.fermobile.core.PhotoException
import org.fermobile.core.PhotoSource
import org.fermobile.core.Pipeline
import org.fermobile.core.Preprocess
import org.fermobile.core.Stage
import org.fermobile.core.Turn
import org.fermobile.core.YuNet
import org.fermobile.core.assertBox
import org.fermobile.core.box
import org.fermobile.core.double
import org.fermobile.core.doubles
import org.fermobile.core.int
import org.fermobile.core.ints
import org.fermobile.core.item
import org.fermobile.core.items
import org.fermobile.core.sha256
import org.fermobile.core.shrink
import org.fermobile.core.text
import org.fermobile.core.with
import org.fermobile.fer.LiteRtModel
import org.fermobile.gallery.logic.runBenchmark
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import java.security.MessageDigest
import kotlin.math.abs
import kotlin.math.ceil

/** The core with the app's interpreter and its native library, against the Python code's answers. */
class InterpreterTest {
    private fun load(file: File, xnnpack: Boolean = true): Classifier {
        val content = Models.buffer(file.readBytes())
        return Classifier(Contract.read(content, file.name), LiteRtModel(content, xnnpack = xnnpack))
    }

    private fun yunet() = Models.buffer(Models.yunet.readBytes()).let { YuNet(LiteRtModel(it), sha256(it)) }

    private fun pipeline() =
        Pipeline(load(File(Models.folder, Golden.vectors.item("default_model").text()!!)), yunet())

    @Test
    fun everyShippedModelAnswersAsInPython() {
        val vectors = Golden.vectors.item("models") as JsonObject
        assertEquals(Models.shipped.map { it.toRelativeString(Models.folder) }, vectors.keys.sorted())
        for ((path, vector) in vectors) check(File(Models.folder, path), vector, int8 = 0.0)
    }

    /** Files that are not shipped: exports.py writes float32, dynamic and RGB input. */
    @Test
    fun everyOtherExportAnswersAsInPython() {
        val folder = File(System.getProperty("fermobile.exports"))
        val vectors = File(folder, "vectors.json").takeIf { it.exists() } ?: return
        for ((path, vector) in Golden.json(vectors)) {
            try {
                // A step of the answer: of the RGB files one of 128 faces has it. Why is not known.
                check(File(folder, path), vector, int8 = 1.0 / 256)
            } catch (error: IllegalArgumentException) {
                // Newer than TensorFlow Lite 2.16.1, which this test runs; LiteRT 1.4 has it.
                if ("'FULLY_CONNECTED' version '12'" !in error.message.orEmpty()) throw error
                println("$path: left out, this runtime has no FULLY_CONNECTED of version 12")
            }
        }
    }

    /** Dynamic files take this runtime 0.2 to 0.6 s a face: unless asked, they see one face in eight. */
    private val everyFace = System.getProperty("fermobile.every_face") == "true"

    private fun check(file: File, vector: JsonElement, int8: Double) {
        val classifier = load(file)
        assertEquals(file.name, vector.item("sha256").text(), classifier.file.sha256)
        val rule = classifier.contract.crop
        val faces = Golden.vectors.item("model_faces").items().map { face ->
            val photo = Golden.photo(face.item("image").text()!!)
            Preprocess.facePixels(photo, face.item("box").box(), classifier.size, rule)
        }
        val inputs = MessageDigest.getInstance("SHA-256")
        faces.forEach { inputs.update(classifier.prepare(it)) }
        val checksum = inputs.digest().joinToString("") { "%02x".format(it) }
        assertEquals(file.name, vector.item("inputs_sha256").text(), checksum)
        val precision = vector.item("precision").text()
        val tolerance = when (precision) {
            "int8" -> int8
            // Activations are rounded by ranges of their own, so that a last digit that runtimes
            // compute differently becomes a step of 1/255: one runtime with and without XNNPACK
            // already differs by up to 0.013 (compact, 300 faces).
            "dynamic" -> 2e-2
            else -> 1e-4
        }
        val seen = faces.zip(vector.item("probabilities").items())
            .filterIndexed { index, _ -> everyFace || precision != "dynamic" || index % 8 == 0 }
        var worst = 0.0
        for ((face, expected) in seen) {
            val found = classifier.classify(face).map { it.toDouble() }
            expected.doubles().zip(found) { a, b -> worst = maxOf(worst, abs(a - b)) }
            assertEquals(file.name, expected.doubles().indexOfMax(), found.indexOfMax())
        }
        println("${file.name}: ${seen.size} faces, largest difference $worst")
        assertTrue("${file.name}: $worst", worst <= tolerance)
        classifier.close()
    }

    private fun List<Double>.indexOfMax() = indices.maxBy { this[it] }

    @Test
    fun wholePhotosGiveTheFacesOfPython() {
        pipeline().use { pipeline ->
            for (case in Golden.vectors.item("photos").items()) {
                check(case, pipeline, Golden.photo(case.item("image").text()!!, case.item("orientation").int()))
            }
        }
    }

    /** python_side.py writes their pixels, because decoders differ in the last bit. */
    @Test
    fun theBundledPhotosGiveTheFacesOfPython() {
        val folder = File(System.getProperty("fermobile.photos"))
        val cases = Golden.json(File(folder, "photos.json")).item("photos").items()
        assertEquals(25, cases.size)
        pipeline().use { pipeline ->
            for (case in cases) {
                val (width, height) = case.item("size").ints()
                val rgb = File(folder, "${case.item("image").text()}.rgb").readBytes()
                fun level(place: Int) = rgb[place].toInt() and 255
                val pixels = IntArray(width * height) {
                    (255 shl 24) or (level(3 * it) shl 16) or (level(3 * it + 1) shl 8) or level(3 * it + 2)
                }
                check(case, pipeline, ArgbImage(width, height, pixels))
            }
        }
        println("bundled photos: ${cases.sumOf { it.item("faces").items().size }} faces in ${cases.size} photos")
    }

    private fun check(case: JsonElement, pipeline: Pipeline, image: ArgbImage) {
        val name = case.item("image").text()
        val result = pipeline.run { Photo(image) }
        assertNull(name, result.error)
        assertEquals(name, case.item("label").text(), result.label)
        assertEquals(name, case.item("turn").int(), result.turn.degrees)
        assertEquals(name, listOf(image.width, image.height), listOf(result.width, result.height))
        val expected = case.item("faces").items()
        assertEquals(name, expected.size, result.faces.size)
        for ((says, face) in expected.zip(result.faces)) {
            assertBox(says.item("box").box(), face.box, 0.01)
            assertEquals(name, says.item("label").text(), face.label)
            assertEquals(name, says.item("confidence").double(), face.confidence.toDouble(), 0.0)
            assertEquals(name, says.item("levelled").text(), "${face.levelled}")
            assertEquals(name, 1.0, face.probabilities.values.sum().toDouble(), 0.02)
            assertEquals(name, says.item("quality").double(), requireNotNull(face.quality), 1e-3)
        }
        val stages = if (expected.isEmpty()) listOf(Stage.DECODE, Stage.DETECT, Stage.TOTAL) else Stage.entries
        assertEquals(name, stages.toSet(), result.stages.keys)
    }

    @Test
    fun aLyingPhotoGetsTheLabelOfTheUprightOne() {
        val portrait = Golden.photo("portrait.png")
        pipeline().use { pipeline ->
            val upright = pipeline.run { Photo(portrait) }
            assertEquals(Turn.NONE, upright.turn)
            for (turn in Turn.entries) {
                val away = Turn.entries.first { (it.degrees + turn.degrees) % 360 == 0 }
                val lying = away.of(portrait)
                val result = pipeline.run { Photo(lying) }
                assertEquals(turn, result.turn)
                assertEquals(upright.label, result.label)
                assertEquals(lying.width, result.width)
                val face = away.back(Detection(result.faces.single().box, 1f), portrait.width, portrait.height)
                assertBox(upright.faces.single().box, face.box, 1.0)
            }
        }
    }

    @Test
    fun boxesOfAReducedPhotoAreInFullResolution() {
        pipeline().use { pipeline ->
            val image = Golden.photo("portrait.png")
            val face = pipeline.run { Photo(image) }.faces.single()
            val reduced = pipeline.run { Photo(image, 8 * image.width, 8 * image.height) }.faces.single()
            assertBox(face.box.scaled(8.0), reduced.box, 0.01)
            assertEquals(face.probabilities, reduced.probabilities)
        }
    }

    /** In a photo 60 pixels high, the face has fewer pixels than the model's input. */
    @Test
    fun aPhotoIsDecodedAgainWhereAFaceWouldBeEnlarged() {
        pipeline().use { pipeline ->
            val image = Golden.photo("portrait.png")
            val asked = mutableListOf<Int>()
            val found = pipeline.run { minLongSide ->
                val pixels = if (asked.isEmpty()) shrink(image, 60) else image
                asked += minLongSide
                Photo(pixels, image.width, image.height)
            }.faces.single()
            val classifier = pipeline.classifier
            val side = classifier.contract.crop.square(found.box).side
            assertEquals(listOf(640, ceil(classifier.size.toDouble() / side * image.height).toInt()), asked)
            val face = Preprocess.facePixels(image, found.box, classifier.size, classifier.contract.crop)
            assertEquals(classifier.classify(face).toList(), found.probabilities.values.toList())
        }
    }

    @Test
    fun aPhotoThatCannotBeReadIsAResult() {
        pipeline().use { pipeline ->
            val result = pipeline.run { throw PhotoException("x.jpg", expected = "a photo", found = "none") }
            assertEquals("x.jpg: expected a photo, found none.", result.error)
            assertEquals(emptyList<Any>(), result.faces)
        }
    }

    @Test
    fun theDetectorTakesEverySize() {
        yunet().use { yunet ->
            val image = Golden.photo("portrait.png")
            val whole = yunet.detect(image).single()
            assertEquals(5, whole.landmarks.size)
            for (other in listOf("pixel.png", "noise.png")) assertTrue(yunet.detect(Golden.photo(other)).isEmpty())
            assertEquals("after inputs of other sizes", listOf(whole), yunet.detect(image))
        }
    }

    @Test
    fun theBenchmarkTimesEveryStage() {
        pipeline().use { pipeline ->
            val photos = listOf("portrait.png", "noise.png").map { name -> PhotoSource { Photo(Golden.photo(name)) } }
            val broken = PhotoSource { throw PhotoException("x", expected = "a photo", found = "none") }
            val done = mutableListOf<Int>()
            val timings = runBenchmark(pipeline, photos + broken, repetitions = 3) { done += it }
            assertEquals(1, timings.failed)
            val withoutFace = setOf(Stage.DECODE, Stage.DETECT, Stage.TOTAL)
            assertEquals(listOf(Stage.entries.toSet(), withoutFace), timings.photos.map { it.keys })
            assertEquals(listOf(1, 2, 3), done)
            assertEquals(1, timings.first.faces.size)
            assertTrue(timings.noise!! >= 0)
            assertThrows(InputException::class.java) { runBenchmark(pipeline, listOf(broken), 1) }
        }
    }

    @Test
    fun withoutXnnpackTheAnswersAreTheSame() {
        val file = Models.shipped.first { "float16" in it.name }
        val with = load(file)
        val without = load(file, xnnpack = false)
        val box = Box(38.0, 55.0, 90.0, 113.0)
        val face = Preprocess.facePixels(Golden.photo("portrait.png"), box, with.size, with.contract.crop)
        assertArrayEquals(with.classify(face), without.classify(face), 1e-4f)
    }

    @Test
    fun aContractThatContradictsTheGraphIsRefused() {
        val file = Models.shipped.first { "int8" in it.name }
        val content = file.readBytes()
        val json = Models.contract(file)
        val labels = json.item("labels").items().joinToString("") { "${it.text()}\n" }
        val lies = mapOf("input.zero_point" to "-127", "output.scale" to "0.5", "input.dtype" to "\"uint8\"")
        for ((path, value) in lies) {
            val files = mapOf("labels.txt" to labels, "contract.json" to "${json.with(path, value)}")
            val changed = File.createTempFile("changed", ".tflite").apply { deleteOnExit() }
            changed.writeBytes(Models.attach(Models.bare(content), files))
            val error = assertThrows(ContractException::class.java) { load(changed) }
            assertTrue(error.message!!, "the contract's ${path.substringBefore('.')}" in error.message!!)
        }
    }
}
