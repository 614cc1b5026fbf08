package org.fermobile.core

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import javax.imageio.ImageIO

/** What `tools/golden_vectors.py` wrote: what the Python code gives. */
object Golden {
    /** The repository, from wherever below it the tests run. */
    val root: File = generateSequence(File("").absoluteFile) { it.parentFile }
        .first { File(it, "tests/golden").isDirectory }

    private val folder = File(root, "tests/golden")
    private val bytes = File(folder, "vectors.bin").readBytes()
    private val photos = mutableMapOf<Pair<String, Int>, ArgbImage>()

    val vectors: JsonObject = json(File(folder, "vectors.json"))

    fun json(file: File): JsonObject = Json.parseToJsonElement(file.readText()) as JsonObject

    fun file(name: String) = File(folder, name)

    /** The bytes at [offset, length]. */
    fun bytes(place: JsonElement): ByteArray {
        val (offset, length) = place.ints()
        return bytes.copyOfRange(offset, offset + length)
    }

    fun buffer(place: JsonElement): ByteBuffer = ByteBuffer.wrap(bytes(place)).order(ByteOrder.LITTLE_ENDIAN)

    /** An image as the app would have it decoded: not yet upright or opaque. */
    fun image(name: String): ArgbImage {
        val file = if (name == "faces.png") File(root, "fer_mobile/golden/faces.png") else file(name)
        val image = ImageIO.read(file)
        val pixels = IntArray(image.width * image.height) { place ->
            val x = place % image.width
            val y = place / image.width
            // ImageIO's own conversion of gray takes it for linear light.
            val gray = image.raster.numBands == 1
            if (gray) 0x010101 * image.raster.getSample(x, y, 0) or (255 shl 24) else image.getRGB(x, y)
        }
        return ArgbImage(image.width, image.height, pixels)
    }

    /** The image as a photo with an EXIF orientation; decoded once, as no test changes it. */
    fun photo(name: String, orientation: Int = 1): ArgbImage =
        photos.getOrPut(name to orientation) { image(name).overWhite().upright(orientation) }
}

fun JsonElement.item(key: String): JsonElement = (this as JsonObject).getValue(key)
fun JsonElement.items(): List<JsonElement> = this as JsonArray
fun JsonElement.int(): Int = (this as JsonPrimitive).int
fun JsonElement.ints(): List<Int> = items().map { it.int() }
fun JsonElement.double(): Double = (this as JsonPrimitive).double
fun JsonElement.doubles(): List<Double> = items().map { it.double() }
fun JsonElement.text(): String? = (this as JsonPrimitive).contentOrNull
fun JsonElement.box(): Box = doubles().let { (x, y, width, height) -> Box(x, y, width, height) }
