package org.fermobile.gallery.library

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.add
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.double
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.float
import kotlinx.serialization.json.floatOrNull
import kotlinx.serialization.json.int
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject
import org.fermobile.core.Box
import org.fermobile.core.Face
import org.fermobile.core.PhotoResult
import org.fermobile.core.Quality
import org.fermobile.core.Stage
import org.fermobile.core.Turn

/** A result as one line of JSON. */
internal fun textOf(result: PhotoResult): String = buildJsonObject {
    put("label", result.label)
    put("confidence", result.confidence)
    put("error", result.error)
    put("width", result.width)
    put("height", result.height)
    put("turn", result.turn.degrees)
    putJsonArray("faces") { for (face in result.faces) add(faceJson(face)) }
    putJsonObject("stages") { for ((stage, time) in result.stages) put(stage.name, time) }
}.toString()

/** The result in such a line; null where it is none. */
internal fun resultOf(text: String): PhotoResult? = try {
    val json = Json.parseToJsonElement(text).jsonObject
    PhotoResult(
        label = json.getValue("label").jsonPrimitive.contentOrNull,
        confidence = json.getValue("confidence").jsonPrimitive.floatOrNull,
        faces = json.getValue("faces").jsonArray.map(::faceOf),
        error = json.getValue("error").jsonPrimitive.contentOrNull,
        width = json.getValue("width").jsonPrimitive.int,
        height = json.getValue("height").jsonPrimitive.int,
        turn = Turn.entries.firstOrNull { it.degrees == json["turn"]?.jsonPrimitive?.intOrNull } ?: Turn.NONE,
        stages = json.getValue("stages").jsonObject.entries
            .associate { (name, time) -> Stage.valueOf(name) to time.jsonPrimitive.double },
    )
} catch (_: SerializationException) {
    null
} catch (_: IllegalArgumentException) {
    null
} catch (_: NoSuchElementException) {
    null
}

private fun faceJson(face: Face): JsonObject = buildJsonObject {
    putJsonArray("box") { with(face.box) { listOf(x, y, width, height).forEach { add(it) } } }
    put("label", face.label)
    put("confidence", face.confidence)
    putJsonObject("probabilities") { for ((label, value) in face.probabilities) put(label, value) }
    put("tilt", face.tilt)
    put("levelled", face.levelled)
    put("quality", face.quality)
    put("flaw", face.flaw?.key)
}

private fun faceOf(element: JsonElement): Face {
    val json = element.jsonObject
    val (x, y, width, height) = json.getValue("box").jsonArray.map { it.jsonPrimitive.double }
    return Face(
        box = Box(x, y, width, height),
        label = json.getValue("label").jsonPrimitive.content,
        confidence = json.getValue("confidence").jsonPrimitive.float,
        probabilities = json.getValue("probabilities").jsonObject.mapValues { it.value.jsonPrimitive.float },
        tilt = json["tilt"]?.jsonPrimitive?.doubleOrNull,
        levelled = json["levelled"]?.jsonPrimitive?.boolean ?: false,
        quality = json["quality"]?.jsonPrimitive?.doubleOrNull, // null in rows of before it was stored
        flaw = Quality.flawOf(json["flaw"]?.jsonPrimitive?.contentOrNull),
    )
}
