package org.fermobile.core

import kotlin.math.abs
import kotlin.math.atan2
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.sqrt

/**
 * How a detector's box becomes the square that the model was trained on.
 *
 * @property scale side of the square over the height of the box.
 * @property shiftY offset of the square's centre over the height of the box; negative is up.
 */
data class CropRule(val scale: Double = 0.9, val shiftY: Double = 0.03) {
    /**
     * The square of a box, in whole pixels rounded half up; it may leave the photo.  That of a face
     * that is turned by its eyes' [direction] is √2 times as large.
     */
    fun square(box: Box, direction: Direction? = null): Square {
        val (cosine, sine) = direction ?: Direction(1.0, 0.0)
        val shift = shiftY * box.height
        val side = max(1, round((if (direction == null) 1.0 else ROOT_2) * scale * box.height))
        return Square(
            left = round(box.x + box.width / 2 - sine * shift - side / 2.0),
            top = round(box.y + box.height / 2 + cosine * shift - side / 2.0),
            side = side,
        )
    }
}

/** x and y of a step of length 1 along the line of the eyes, to the person's left eye. */
data class Direction(val cosine: Double, val sine: Double)

/**
 * Which faces are turned until their eyes are level.
 *
 * @property minTilt least tilt in degrees, to either side.
 */
data class Levelling(val minTilt: Double) {
    /** Where the eyes of a face to be turned point; null for one that stays, as one without landmarks does. */
    fun direction(face: Detection): Direction? {
        val (x, y) = face.eyeLine ?: return null
        if (abs(Math.toDegrees(atan2(y, x))) < minTilt) return null
        val distance = sqrt(x * x + y * y)
        return Direction(x / distance, y / distance)
    }
}

private val ROOT_2 = sqrt(2.0)

private fun round(value: Double): Int = floor(value + 0.5).toInt()

/** What a model's input stands for; [key] is its name in a contract. */
enum class Normalisation(val key: String) {
    /** Gray in 0 to 1. */
    UNIT("pixel/255"),

    /** Gray in -1 to 1. */
    SYMMETRIC("pixel/127.5-1"),

    /** Gray in 0 to 255. */
    RAW("pixel");

    /** The real number that a gray [level] of 0 to 255 stands for. */
    fun real(level: Int): Double = when (this) {
        UNIT -> level / 255.0
        SYMMETRIC -> level / 127.5 - 1.0
        RAW -> level.toDouble()
    }

    /** The same as a float input takes it, computed in single precision. */
    fun float(level: Int): Float = when (this) {
        UNIT -> level / 255f
        SYMMETRIC -> level / 127.5f - 1f
        RAW -> level.toFloat()
    }
}

/** A square of whole pixels, [side] ≥ 1. */
data class Square(val left: Int, val top: Int, val side: Int) {
    /** What of it lies within an image of [width]×[height]; null where nothing does. */
    fun within(width: Int, height: Int): Region? {
        val (first, last) = max(left, 0) to min(left + side, width)
        val (upper, lower) = max(top, 0) to min(top + side, height)
        return if (first < last && upper < lower) Region(first, upper, last - first, lower - upper) else null
    }
}

/**
 * Crop → gray → resize → level, bit for bit as `fer_mobile/preprocess.py` defines them; the vectors in
 * `tests/golden/` hold the two together.  ([Classifier] does the last step, see [Normalisation].)
 */
object Preprocess {
    /** Of the definition; a contract names the one its model was trained with. */
    const val VERSION = 1

    /** The gray square of an image: ITU-R BT.601 luma in integers; beyond the border the edge is repeated. */
    fun cropGray(image: ArgbImage, square: Square): GrayImage {
        val side = square.side
        val columns = IntArray(side) { (square.left + it).coerceIn(0, image.width - 1) }
        val gray = ByteArray(side * side)
        for (row in 0 until side) {
            val start = (square.top + row).coerceIn(0, image.height - 1) * image.width
            for (column in 0 until side) {
                gray[row * side + column] = luma(image.pixels[start + columns[column]]).toByte()
            }
        }
        return GrayImage(side, side, gray)
    }

    /** A square gray image at [size]×[size]: a triangle filter in fixed point, widened when it reduces. */
    fun resize(gray: GrayImage, size: Int): GrayImage {
        require(gray.width == gray.height) { "expected a square, got ${gray.width}×${gray.height}" }
        if (gray.width == size) return gray
        val filter = triangle(gray.width, size)
        val rows = resizeRows(gray.pixels, gray.width, filter)
        return GrayImage(size, size, transpose(resizeRows(transpose(rows, size), gray.width, filter), size))
    }

    /** A face's square at [size]×[size], turned where its eyes have a [direction]. */
    fun resizeFace(gray: GrayImage, size: Int, direction: Direction?): GrayImage =
        if (direction == null) resize(gray, size) else level(resize(gray, 2 * size), direction)

    /** Crop, gray, resize and level of one face of an upright photo. */
    fun facePixels(image: ArgbImage, box: Box, size: Int, rule: CropRule, direction: Direction? = null): GrayImage =
        resizeFace(cropGray(image, rule.square(box, direction)), size, direction)

    /** The inner square, half as wide, turned about the centre; places are in units of 2⁻¹⁶ pixels. */
    private fun level(gray: GrayImage, direction: Direction): GrayImage {
        val size = gray.width / 2
        val cosine = round(ROOT_2 * direction.cosine * (1 shl 15))
        val sine = round(ROOT_2 * direction.sine * (1 shl 15))
        val centre = (size shl 16) - (1 shl 15)
        return GrayImage(size, size, ByteArray(size * size) { place ->
            val across = 2 * (place % size) + 1 - size
            val down = 2 * (place / size) + 1 - size
            between(gray, centre + across * cosine - down * sine, centre + across * sine + down * cosine)
        })
    }

    /** The level at ([x], [y]) between four pixels; beyond the border the edge is repeated. */
    private fun between(gray: GrayImage, x: Int, y: Int): Byte {
        fun at(column: Int, row: Int): Int {
            val place = row.coerceIn(0, gray.height - 1) * gray.width + column.coerceIn(0, gray.width - 1)
            return gray.pixels[place].toInt() and 255
        }
        val left = x shr 16
        val top = y shr 16
        val right = x shr 8 and 255
        val below = y shr 8 and 255
        val upper = at(left, top) * (256 - right) + at(left + 1, top) * right
        val lower = at(left, top + 1) * (256 - right) + at(left + 1, top + 1) * right
        return (upper * (256 - below) + lower * below + (1 shl 15) shr 16).toByte()
    }

    private fun luma(pixel: Int): Int =
        (19595 * (pixel shr 16 and 255) + 38470 * (pixel shr 8 and 255) + 7471 * (pixel and 255) + 32768) shr 16

    /** For one target pixel: the first source pixel and the weights in units of 2⁻²². */
    private class Taps(val first: Int, val weights: IntArray)

    private fun triangle(source: Int, target: Int): List<Taps> {
        val ratio = source.toDouble() / target
        val reach = max(ratio, 1.0)
        return List(target) { pixel ->
            val centre = (pixel + 0.5) * ratio
            val first = max(0, (centre - reach + 0.5).toInt())
            val last = min(source, (centre + reach + 0.5).toInt())
            val shares = DoubleArray(last - first) {
                max(0.0, 1.0 - abs((first + it - centre + 0.5) * (1.0 / reach)))
            }
            val factor = 1.0 / shares.sum()
            Taps(first, IntArray(shares.size) { floor(shares[it] * factor * (1 shl 22) + 0.5).toInt() })
        }
    }

    /** Every row of [width] pixels at the filter's size. */
    private fun resizeRows(pixels: ByteArray, width: Int, filter: List<Taps>): ByteArray {
        val height = pixels.size / width
        val result = ByteArray(height * filter.size)
        for (row in 0 until height) {
            for ((column, taps) in filter.withIndex()) {
                val start = row * width + taps.first
                var sum = 1 shl 21
                for (tap in taps.weights.indices) {
                    sum += taps.weights[tap] * (pixels[start + tap].toInt() and 255)
                }
                result[row * filter.size + column] = (sum shr 22).toByte()
            }
        }
        return result
    }

    private fun transpose(pixels: ByteArray, width: Int): ByteArray {
        val height = pixels.size / width
        return ByteArray(pixels.size) { pixels[it % height * width + it / height] }
    }
}
