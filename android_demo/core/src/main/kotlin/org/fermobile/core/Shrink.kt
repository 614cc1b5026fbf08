package org.fermobile.core

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round

/**
 * The image with its longest side at most [side] pixels; never enlarged.
 *
 * Every new pixel is the mean of the area it covers, in the arithmetic of OpenCV's INTER_AREA
 * (single precision, rounded half to even), which `fer_mobile/detect/scale.py` uses: the bytes
 * are the same.
 */
fun shrink(image: ArgbImage, side: Int): ArgbImage {
    val factor = side.toDouble() / max(image.width, image.height)
    if (factor >= 1) return image
    val width = max(1, round(image.width * factor).toInt())
    val height = max(1, round(image.height * factor).toInt())
    val stepX = 1 / (width.toDouble() / image.width)
    val stepY = 1 / (height.toDouble() / image.height)
    return if (isWhole(stepX) && isWhole(stepY)) {
        meanOfBlocks(image, width, height, round(stepX).toInt(), round(stepY).toInt())
    } else {
        meanOfAreas(image, areas(image.width, width, stepX), areas(image.height, height, stepY))
    }
}

private fun isWhole(step: Double) = abs(step - round(step)) < Math.ulp(1.0)

/** Blocks of whole pixels are summed in integers; those of 2×2 are rounded half up. */
private fun meanOfBlocks(image: ArgbImage, width: Int, height: Int, blockX: Int, blockY: Int): ArgbImage {
    val scale = 1f / (blockX * blockY)
    fun mean(sum: Int): Int = if (blockX == 2 && blockY == 2) sum + 2 shr 2 else round(sum * scale).toInt()
    val pixels = IntArray(width * height) { place ->
        val left = place % width * blockX
        val top = place / width * blockY
        var red = 0
        var green = 0
        var blue = 0
        for (row in top until top + blockY) {
            for (column in left until left + blockX) {
                val pixel = image.pixels[row * image.width + column]
                red += pixel shr 16 and 255
                green += pixel shr 8 and 255
                blue += pixel and 255
            }
        }
        opaque(mean(red), mean(green), mean(blue))
    }
    return ArgbImage(width, height, pixels)
}

/** The source pixels from [first] that a target pixel covers, and their shares of it. */
private class Area(val first: Int, val shares: FloatArray)

private fun areas(source: Int, target: Int, step: Double) = List(target) { pixel ->
    val start = pixel * step
    val end = start + step
    val size = min(step, source - start)
    val lastWhole = min(floor(end).toInt(), source - 1)
    val firstWhole = min(ceil(start).toInt(), lastWhole)
    val before = firstWhole - start
    val after = end - lastWhole
    val shares = ArrayList<Float>()
    if (before > SLIVER) shares += (before / size).toFloat()
    repeat(lastWhole - firstWhole) { shares += (1 / size).toFloat() }
    if (after > SLIVER) shares += (min(min(after, 1.0), size) / size).toFloat()
    Area(if (before > SLIVER) firstWhole - 1 else firstWhole, shares.toFloatArray())
}

/** A thinner part of a pixel does not count. */
private const val SLIVER = 1e-3

private fun meanOfAreas(image: ArgbImage, columns: List<Area>, rows: List<Area>): ArgbImage {
    val width = columns.size
    val pixels = IntArray(width * rows.size)
    val line = FloatArray(3 * width)
    var lineOf = -1
    for ((y, area) in rows.withIndex()) {
        val sums = FloatArray(3 * width)
        for (tap in area.shares.indices) {
            val row = area.first + tap
            // The last row of one area is often the first of the next.
            if (row != lineOf) shrinkLine(image, row, columns, line)
            lineOf = row
            for (index in sums.indices) sums[index] += area.shares[tap] * line[index]
        }
        for (x in 0 until width) {
            pixels[y * width + x] = opaque(level(sums[3 * x]), level(sums[3 * x + 1]), level(sums[3 * x + 2]))
        }
    }
    return ArgbImage(width, rows.size, pixels)
}

/** Red, green and blue of one row at the width of [columns]. */
private fun shrinkLine(image: ArgbImage, row: Int, columns: List<Area>, line: FloatArray) {
    for ((x, area) in columns.withIndex()) {
        var red = 0f
        var green = 0f
        var blue = 0f
        var place = row * image.width + area.first
        for (share in area.shares) {
            val pixel = image.pixels[place++]
            red += share * (pixel shr 16 and 255)
            green += share * (pixel shr 8 and 255)
            blue += share * (pixel and 255)
        }
        line[3 * x] = red
        line[3 * x + 1] = green
        line[3 * x + 2] = blue
    }
}

private fun level(value: Float): Int = min(255, round(value).toInt())

private fun opaque(red: Int, green: Int, blue: Int): Int = (255 shl 24) or (red shl 16) or (green shl 8) or blue
