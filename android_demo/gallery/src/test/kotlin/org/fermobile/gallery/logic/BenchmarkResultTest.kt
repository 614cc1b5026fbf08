package org.fermobile.gallery.logic

import kotlinx.serialization.json.JsonObject
import org.fermobile.core.Contract
import org.fermobile.core.CropRule
import org.fermobile.core.Golden
import org.fermobile.core.ModelFile
import org.fermobile.core.PhotoResult
import org.fermobile.core.Stage
import org.fermobile.core.Tensor
import org.fermobile.core.TensorType
import org.fermobile.core.double
import org.fermobile.core.int
import org.fermobile.core.item
import org.fermobile.core.items
import org.fermobile.core.text
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

class BenchmarkResultTest {
    private val rows = Golden.vectors.item("stage_stats").item("rows").items().map { row ->
        (row as JsonObject).entries.associate { (name, time) -> stage(name) to time.double() }
    }

    private fun stage(name: String) = Stage.entries.single { it.key == name }

    @Test
    fun statisticsAreThoseOfPython() {
        val expected = Golden.vectors.item("stage_stats").item("stats") as JsonObject
        val found = stageStats(rows)
        assertEquals(expected.keys.toList(), found.keys.map { it.key })
        for ((stage, stats) in found) {
            val says = expected.getValue(stage.key)
            assertEquals(says.item("n").int(), stats.n)
            val names = listOf("mean_ms", "std_ms", "p50_ms", "p90_ms", "p99_ms", "share")
            names.map { says.item(it).double() }
                .zip(listOf(stats.mean, stats.std, stats.p50, stats.p90, stats.p99, stats.share)) { a, b ->
                    assertEquals("$stage", a, b, 6e-5) // rounded to four digits
                }
        }
        assertTrue(stageStats(emptyList()).isEmpty())
        assertEquals(0.0, stageStats(rows.take(1)).getValue(Stage.TOTAL).std, 0.0)
    }

    @Test
    fun noiseComparesTheHalves() {
        assertNull(noise(listOf(3.0)))
        assertEquals(1 / 2.5, noise(listOf(2.0, 2.0, 9.0, 3.0, 3.0))!!, 1e-12)
    }

    @Test
    fun theBundledPhotosHaveTheChecksumOfPython() {
        val folder = File(Golden.root, "fer_mobile/photos/affective-25")
        val photos = folder.listFiles().orEmpty().filter { it.extension in listOf("jpg", "png") }
        assertEquals(Golden.vectors.item("photo_set").item("sha256").text(), photoSetChecksum(photos.associate { it.name to it.readBytes() }))
    }

    /** A test in Python holds the same file against the schema. */
    @Test
    fun theJsonIsTheCommittedOne() = assertEquals(Golden.json(Golden.file("benchmark_result.json")), result().toJson())

    @Test
    fun theBudgetDecides() {
        assertTrue(result().passed)
        assertFalse(result(budget = 0.001).passed)
    }

    private val withFace = mapOf(
        Stage.DECODE to 10.0, Stage.DETECT to 70.0, Stage.GRAY to 4.0, Stage.RESIZE to 2.0, Stage.CLASSIFY to 14.0,
        Stage.TOTAL to 100.5,
    )
    private val withoutFace = mapOf(Stage.DECODE to 8.0, Stage.DETECT to 60.0, Stage.TOTAL to 68.25)

    private fun result(budget: Double = 0.5) = BenchmarkResult(
        date = "2026-01-01T12:00:00+00:00",
        model = ModelFile(
            name = "example_int8.tflite",
            contract = Contract(
                formatVersion = 1,
                name = "example",
                architecture = "example",
                parameters = 7_509_672,
                precision = "int8",
                input = Tensor("image", listOf(1, 56, 56, 1), TensorType.INT8, 1 / 255f, -128),
                output = Tensor("probabilities", listOf(1, 8), TensorType.INT8, 1 / 256f, -128),
                crop = CropRule(),
                labels = Expressions.LABELS,
                figures = emptyList(),
                licence = "",
                modelSha256 = "0".repeat(64),
            ),
            sha256 = "f".repeat(64),
            bytes = 7_603_511,
        ),
        photos = PhotoSet("example", "e".repeat(64)),
        settings = BenchmarkSettings(threads = 2, repetitions = 5, budget = budget, xnnpack = true),
        timings = Timings(failed = 1, photos = listOf(withFace, withoutFace), first = PhotoResult(), noise = 0.0312345),
        coldStart = ColdStart(process = null, modelLoad = 60.5, firstInference = null, firstPhoto = 180.25),
        peakMemoryMb = 120.5,
        hardware = Hardware(
            cpu = "example SoC", machine = "arm64-v8a", cores = 8, memoryMb = 4096, phone = "example",
            thermalState = "none", batteryCharging = false,
        ),
        software = Software("Android 14 (API 34)", "5.10.0", "0.1.0", "LiteRT 1.4.0"),
    )
}
