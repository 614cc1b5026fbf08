package org.fermobile.gallery.logic

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonObject
import org.fermobile.core.ModelFile
import org.fermobile.core.Stage
import org.fermobile.core.hex
import java.security.MessageDigest
import kotlin.math.round

/**
 * A photo set.
 *
 * @property sha256 over all photos (see [photoSetChecksum]).
 */
data class PhotoSet(val name: String, val sha256: String)

/**
 * How a benchmark was run.
 *
 * @property threads of detector and classifier.
 * @property budget seconds that nine photos in ten may take.
 * @property orient whether photos were turned where no upright face was surely found.
 */
data class BenchmarkSettings(
    val threads: Int,
    val repetitions: Int,
    val budget: Double = 0.5,
    val xnnpack: Boolean = true,
    val orient: Boolean = true,
)

/**
 * A first photo in a process that was not there before, in milliseconds.
 *
 * @property process from the start of the process until its code is loaded; null if unknown.
 * @property modelLoad detector and classifier, from files until they can run.
 * @property firstInference of the classifier; null where the photo has no face.
 */
data class ColdStart(
    val process: Double?,
    val modelLoad: Double,
    val firstInference: Double?,
    val firstPhoto: Double,
)

/** The phone; null for what it does not tell. [thermalState] is `none`, `light`, … `shutdown`. */
data class Hardware(
    val cpu: String?,
    val machine: String,
    val cores: Int?,
    val memoryMb: Int?,
    val phone: String?,
    val governor: String? = null,
    val thermalState: String? = null,
    val batteryCharging: Boolean? = null,
)

/** What ran on it: [os] as "Android 14 (API 34)", [app] its version, [runtime] as "LiteRT 1.4.0". */
data class Software(val os: String, val kernel: String?, val app: String, val runtime: String)

/**
 * A benchmark's result; [toJson] writes it by `fer_mobile/bench/schema.json`.
 *
 * @property date start of the run, UTC, as 2026-01-31T12:00:00+00:00.
 */
class BenchmarkResult(
    val date: String,
    val model: ModelFile,
    val photos: PhotoSet,
    val settings: BenchmarkSettings,
    val timings: Timings,
    val coldStart: ColdStart?,
    val peakMemoryMb: Double?,
    val hardware: Hardware,
    val software: Software,
) {
    /** Statistics over photos. */
    val stages: Map<Stage, StageStats> = stageStats(timings.photos)

    /** Whether nine photos in ten stay within the budget. */
    val passed: Boolean = stages.getValue(Stage.TOTAL).p90 <= settings.budget * 1000

    /** The result as one JSON object. */
    fun toJson(): JsonObject = buildJsonObject {
        put("schema", "fer-mobile/bench")
        put("schema_version", 2)
        put("date", date)
        put("device", "android")
        put("model", modelJson())
        putJsonObject("photos") {
            put("name", photos.name)
            put("n", timings.photos.size)
            put("failed", timings.failed)
            put("sha256", photos.sha256)
        }
        putJsonObject("settings") {
            put("threads", settings.threads)
            put("repetitions", settings.repetitions)
            put("budget_s", settings.budget)
            put("faces", "multiple")
            put("detector", "yunet")
            put("orient", if (settings.orient) "auto" else "none")
            put("xnnpack", settings.xnnpack)
        }
        putJsonObject("stages") { for ((stage, stats) in stages) put(stage.key, statsJson(stats)) }
        put("verdict", if (passed) "pass" else "fail")
        put("cold_start", coldStart?.let(::coldStartJson) ?: JsonNull)
        put("noise", rounded(timings.noise))
        put("peak_memory_mb", rounded(peakMemoryMb))
        put("energy_j_per_photo", JsonNull)
        put("hardware", hardwareJson())
        putJsonObject("software") {
            put("os", software.os)
            put("kernel", software.kernel)
            put("fer_mobile", software.app)
            put("runtime", software.runtime)
        }
    }

    private fun modelJson() = buildJsonObject {
        val contract = model.contract
        put("name", contract.name)
        put("precision", contract.precision)
        put("file", model.name)
        put("sha256", model.sha256)
        put("bytes", model.bytes)
        putJsonObject("contract") {
            put("format_version", contract.formatVersion)
            put("architecture", contract.architecture)
            put("parameters", contract.parameters)
            put("input", JsonArray(contract.input.shape.map(::JsonPrimitive)))
            put("labels", JsonArray(contract.labels.map(::JsonPrimitive)))
        }
    }

    private fun hardwareJson() = buildJsonObject {
        put("cpu", hardware.cpu)
        put("machine", hardware.machine)
        put("cores", hardware.cores)
        put("cores_usable", hardware.cores)
        put("memory_mb", hardware.memoryMb)
        put("governor", hardware.governor)
        put("phone", hardware.phone)
        put("thermal_state", hardware.thermalState)
        put("battery_charging", hardware.batteryCharging)
    }
}

/**
 * The checksum of a photo set, hex: over all photos, sorted by their path inside the folder, the
 * path (UTF-8, parts joined by /) and the 32 bytes of the SHA-256 of the file.
 */
fun photoSetChecksum(photos: Map<String, ByteArray>): String {
    val whole = MessageDigest.getInstance("SHA-256")
    for ((path, content) in photos.toSortedMap()) {
        whole.update(path.toByteArray())
        whole.update(MessageDigest.getInstance("SHA-256").digest(content))
    }
    return hex(whole.digest())
}

private fun statsJson(stats: StageStats) = buildJsonObject {
    put("n", stats.n)
    put("mean_ms", rounded(stats.mean))
    put("std_ms", rounded(stats.std))
    put("p50_ms", rounded(stats.p50))
    put("p90_ms", rounded(stats.p90))
    put("p99_ms", rounded(stats.p99))
    put("share", rounded(stats.share))
}

private fun coldStartJson(start: ColdStart) = buildJsonObject {
    put("process_ms", rounded(start.process))
    put("model_load_ms", rounded(start.modelLoad))
    put("first_inference_ms", rounded(start.firstInference))
    put("first_photo_ms", rounded(start.firstPhoto))
}

/** Four digits after the point, as results have them everywhere. */
private fun rounded(value: Double?): JsonElement =
    if (value == null) JsonNull else JsonPrimitive(round(value * 10_000) / 10_000)
