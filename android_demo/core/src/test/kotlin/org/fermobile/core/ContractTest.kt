package org.fermobile.core

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import java.util.zip.ZipEntry
import kotlin.random.Random

class ContractTest {
    private val file = Models.shipped.first { "int8" in it.name }
    private val content = file.readBytes()
    private val bare = Models.bare(content)
    private val json = Models.contract(file)
    private val labels = json.item("labels").items().joinToString("") { "${it.text()}\n" }

    private fun read(bytes: ByteArray) = Contract.read(Models.buffer(bytes), "x.tflite")

    private val withoutReference by lazy { read(content).contract.copy(reference = emptyList()) }

    private fun readWith(json: JsonObject) = read(attached(mapOf("labels.txt" to labels, "contract.json" to "$json")))

    private fun attached(files: Map<String, String>) = Models.attach(bare, files)

    private fun refused(bytes: ByteArray): String =
        assertThrows(ContractException::class.java) { read(bytes) }.message!!

    @Test
    fun everyShippedFileIsRead() {
        assertTrue(Models.shipped.size >= 2)
        for (file in Models.shipped) {
            val bytes = file.readBytes()
            val json = Models.contract(file)
            val found = Contract.read(Models.buffer(bytes), file.name)
            val vector = Golden.vectors.item("models").item("${file.parentFile.name}/${file.name}")
            assertEquals(vector.item("sha256").text(), found.sha256)
            assertEquals(bytes.size.toLong(), found.bytes)
            val contract = found.contract
            assertEquals(json.item("name").text(), contract.name)
            assertEquals(json.item("precision").text(), contract.precision)
            assertEquals(json.item("labels").items().map { it.text() }, contract.labels)
            assertEquals(json.item("input").item("shape").ints(), contract.input.shape)
            assertEquals(json.item("input").item("dtype").text(), contract.input.type.key)
            assertEquals(json.item("model_sha256").text(), contract.modelSha256)
            val crop = json.item("preprocessing").item("crop")
            assertEquals(CropRule(crop.item("scale").double(), crop.item("shift_y").double()), contract.crop)
            val figures = json.item("figures").items()
            assertEquals(figures.map { it.item("accuracy").double() }, contract.figures.map { it.accuracy })
            assertTrue(contract.figures.all { it.recall.keys == contract.labels.toSet() })
        }
    }

    @Test
    fun anArchiveOfOtherToolsIsReadToo() {
        val files = mapOf("contract.json" to "$json", "labels.txt" to labels)
        assertEquals(file.length(), Contract.read(Models.buffer(content), file.name).bytes)
        assertEquals(withoutReference, read(Models.attach(bare, files)).contract)
        assertEquals(withoutReference, read(Models.attach(bare, files, ZipEntry.DEFLATED)).contract)
    }

    @Test
    fun referenceOutputsAreReadByFace() {
        val contract = read(content).contract
        assertTrue("${contract.reference.size}", contract.reference.size >= 128)
        for (outputs in contract.reference) assertEquals(1f, outputs.sum(), 1e-3f)
        val odd = mapOf("contract.json" to "$json", "labels.txt" to labels, "reference.json" to """{"neutral": [2]}""")
        assertTrue("reference" in refused(Models.attach(bare, odd)))
    }

    @Test
    fun labelsAreAsLongAsInPython() {
        val eight = (1..8).map { "😀".repeat(91 + it) } // of 92 to 99 characters, as Python counts
        fun withLabels(labels: List<String>) = attached(
            mapOf(
                "labels.txt" to labels.joinToString("") { "$it\n" },
                "contract.json" to "${json.with("labels", labels.joinToString("\",\"", "[\"", "\"]")).with("reference", null)}",
            ),
        )
        assertEquals(eight, read(withLabels(eight)).contract.labels)
        assertTrue("1 to 100 characters" in refused(withLabels(eight.drop(1) + "x".repeat(101))))
    }

    @Test
    fun whatALaterMinorVersionAddsPasses() {
        val more = json.with("news", """{"of": 1}""").with("input.note", "1")
        assertEquals(withoutReference, readWith(more).contract)
        assertEquals("😀", readWith(more).contract.emoji["happiness"])
        for (older in listOf("1", "2")) {
            val old = json.with("format_version", older).with("label_facts", null).with("requires", null)
                .with("preprocessing.levelling", null)
            val expected = withoutReference
                .copy(formatVersion = older.toInt(), emoji = emptyMap(), levelling = null)
            assertEquals(expected, readWith(old).contract)
        }
        assertEquals(true, readWith(json.with("output_values", "\"logits\"").with("requires", "[\"softmax\"]")).contract.logits)
        assertEquals(emptyList<Figures>(), readWith(json.with("figures", null)).contract.figures)
        val levelling = json.with("preprocessing.levelling", """{"landmarks": "eyes", "min_tilt": 12.5}""")
        assertEquals(Levelling(12.5), readWith(levelling.with("requires", "[\"levelling\"]")).contract.levelling)
        assertEquals(null, readWith(json.with("preprocessing.levelling", "null")).contract.levelling)
    }

    @Test
    fun contradictionsAreRefusedInOneLine() {
        val cases = mapOf(
            json.with("format_version", "4") to "expected contract format 3 or older, found format 4. Update the app.",
            json.with("requires", "[\"news\"]") to "found news in requires. Update the app.",
            json.with("preprocessing.levelling", "{}") to "a value as preprocessing.levelling.landmarks",
            json.with("preprocessing.levelling", """{"landmarks": "nose", "min_tilt": 10}""") to
                "eyes as preprocessing.levelling.landmarks",
            json.with("preprocessing.levelling", """{"landmarks": "eyes", "min_tilt": 181}""") to
                "a number from 0.0 to 180.0 as preprocessing.levelling.min_tilt",
            json.with("preprocessing.crop.scale", "1e9") to "a number from 0.1 to 4.0 as preprocessing.crop.scale",
            json.with("preprocessing.crop.shift_y", "-9") to "a number from -2.0 to 2.0 as preprocessing.crop.shift_y",
            json.with("preprocessing.normalisation", "\"mean\"") to "as preprocessing.normalisation, found \"mean\"",
            json.with("input.shape", "[1, 100000, 100000, 1]") to "with S from 1 to 1024",
            json.with("labels", "[\"a\\nb\", \"c\"]") to "1 to 100 characters as labels.0",
            json.with("format", "\"other\"") to
                "expected a well-formed contract with fer-mobile/contract as format, found \"other\"",
            json.with("preprocessing.version", "2") to "expected preprocessing version 1, found version 2",
            json.with("preprocessing.resize", "\"nearest\"") to
                "triangle-antialiased-22 as preprocessing.resize, found \"nearest\"",
            json.with("preprocessing.crop.scale", "1e999") to "a number as preprocessing.crop.scale, found 1e999",
            json.with("input.shape", "[1, 56, 48, 1]") to "expected an input [1, S, S, 1] with S from 1 to 1024, found [1, 56, 48, 1]",
            json.with("input.shape", "[1, 0, 0, 1]") to "expected an input [1, S, S, 1]",
            json.with("input.shape", "[1, 56, 56, 3]") to "expected an input [1, S, S, 1]",
            json.with("preprocessing.gray", "\"in-graph\"") to "expected an input [1, S, S, 3]",
            json.with("input.dtype", "\"int16\"") to "float32 or int8 or uint8 as input.dtype, found \"int16\"",
            json.with("input.scale", "0") to "a number above 0 as input.scale, found 0",
            json.with("output.shape", "[1, 7]") to "expected a different label for each output of [1, 7], found 8 labels",
            json.with("labels", "[\"a\", \"a\"]").with("output.shape", "[1, 2]") to "expected a different label",
            json.with("labels", "[]") to "found 0 labels",
            json.with("labels", "7") to "a list as labels, found 7",
            json.with("licence", null) to "a value as licence, found none",
            json.with("parameters", "\"many\"") to "a whole number as parameters, found \"many\"",
            json.with("precision", "\"int4\"") to "as precision, found \"int4\"",
            json.with("model_sha256", "\"00\"") to "expected a model with the checksum 00… of its contract",
        )
        for ((changed, says) in cases) {
            val said = (changed["labels"] as? JsonArray).orEmpty().joinToString("") { "${it.text()}\n" }
            val message = refused(attached(mapOf("labels.txt" to said, "contract.json" to "$changed")))
            assertTrue("$message\nshould say: $says", says in message)
            assertTrue(message.startsWith("x.tflite: ") && '\n' !in message)
        }
    }

    @Test
    fun damageIsRefused() {
        val one = content.copyOf().also { it[bare.size / 2]++ }
        assertTrue("was changed or damaged" in refused(one))
        assertTrue("labels.txt" in refused(attached(mapOf("labels.txt" to "joy\n", "contract.json" to "$json"))))
        val none = "expected a model with an embedded contract, found none in it. Use a file that"
        assertTrue(none in refused(bare))
        assertTrue(none in refused(content.copyOf(content.size - 10)))
        assertTrue(none in refused(attached(mapOf("labels.txt" to labels))))
        assertTrue("well-formed" in refused(attached(mapOf("labels.txt" to labels, "contract.json" to "{not json"))))
        val noModel = "expected a TensorFlow Lite model, found something else"
        for (size in listOf(0, 7, 8, 5000)) assertTrue(noModel in refused(ByteArray(size)))
    }

    /** A small archive that becomes very large. */
    @Test
    fun aBombIsNotRead() {
        val files = mapOf("labels.txt" to labels, "contract.json" to " ".repeat(100_000_000))
        assertTrue("none in it" in refused(Models.attach(bare, files, ZipEntry.DEFLATED)))
    }

    /** Whatever the bytes, the answer is a contract or a refusal. */
    @Test
    fun anyDamageIsRefusedProperly() {
        val random = Random(2026)
        val small = Models.attach(bare.copyOf(64), mapOf("labels.txt" to labels, "contract.json" to "$json"))
        repeat(3000) {
            val bytes = small.copyOf(if (random.nextInt(4) == 0) random.nextInt(small.size) else small.size)
            if (bytes.isNotEmpty()) {
                repeat(random.nextInt(1, 6)) { bytes[random.nextInt(bytes.size)] = random.nextInt().toByte() }
            }
            // The end of the directory is where damage matters most.
            if (bytes.size > 200) bytes[bytes.size - random.nextInt(1, 150)] = random.nextInt().toByte()
            refused(bytes)
        }
    }
}
