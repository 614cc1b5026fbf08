package org.fermobile.core

/**
 * A colour image.
 *
 * @property pixels row after row, each 0xAARRGGBB, colours not multiplied by alpha: what
 *   `Bitmap.getPixels` gives.
 */
class ArgbImage(val width: Int, val height: Int, val pixels: IntArray) {
    init {
        require(width > 0 && height > 0 && pixels.size == width * height) {
            "expected $width×$height pixels, got ${pixels.size}"
        }
    }

    /** The image laid over white; itself where it is opaque. */
    fun overWhite(): ArgbImage {
        if (pixels.all { it ushr 24 == 255 }) return this
        return ArgbImage(width, height, IntArray(pixels.size) { overWhite(pixels[it]) })
    }

    /** The image turned upright, by its EXIF orientation 1 to 8; any other value leaves it as it is. */
    fun upright(orientation: Int): ArgbImage {
        if (orientation !in 2..8) return this
        val stored = Stored(orientation)
        val newWidth = if (stored.turned) height else width
        val newHeight = if (stored.turned) width else height
        val result = IntArray(pixels.size)
        for (y in 0 until newHeight) {
            for (x in 0 until newWidth) {
                // Along the stored image's axes: u to the right, v down.
                val u = if (stored.turned) y else x
                val v = if (stored.turned) x else y
                val column = if (stored.fromRight) width - 1 - u else u
                val row = if (stored.fromBottom) height - 1 - v else v
                result[y * newWidth + x] = pixels[row * width + column]
            }
        }
        return ArgbImage(newWidth, newHeight, result)
    }

    /** A part of it. */
    fun part(region: Region): ArgbImage {
        val result = IntArray(region.width * region.height) {
            pixels[(region.top + it / region.width) * width + region.left + it % region.width]
        }
        return ArgbImage(region.width, region.height, result)
    }
}

/** How an image of an EXIF orientation is stored: turned by a quarter, from the right, from the bottom. */
private class Stored(orientation: Int) {
    val turned = orientation in 5..8
    val fromRight = orientation in listOf(2, 3, 7, 8)
    val fromBottom = orientation in listOf(3, 4, 6, 7)
}

/** A rectangle of whole pixels within an image. */
data class Region(val left: Int, val top: Int, val width: Int, val height: Int) {
    /** Where these pixels of an upright image lie in the image of [imageWidth]×[imageHeight] that [ArgbImage.upright] takes. */
    fun stored(orientation: Int, imageWidth: Int, imageHeight: Int): Region {
        val stored = Stored(orientation)
        val along = if (stored.turned) Region(top, left, height, width) else this
        return along.copy(
            left = if (stored.fromRight) imageWidth - along.left - along.width else along.left,
            top = if (stored.fromBottom) imageHeight - along.top - along.height else along.top,
        )
    }
}

/** A gray image; [pixels] row after row, each byte 0 to 255 unsigned. */
class GrayImage(val width: Int, val height: Int, val pixels: ByteArray) {
    init {
        require(width > 0 && height > 0 && pixels.size == width * height) {
            "expected $width×$height pixels, got ${pixels.size}"
        }
    }
}

/**
 * A decoded photo.
 *
 * @property image upright and opaque; maybe decoded at a part of its size.
 * @property width of the upright photo at full resolution; so is [height].
 */
class Photo(val image: ArgbImage, val width: Int = image.width, val height: Int = image.height) {
    /** Pixels of [image] to one pixel of the photo, 0 to 1. */
    val scale: Double get() = image.width.toDouble() / width
}

/** A colour over white, in the integers of Pillow's `alpha_composite`. */
private fun overWhite(pixel: Int): Int {
    val alpha = pixel ushr 24
    fun blend(shift: Int): Int {
        val sum = ((pixel ushr shift and 255) * alpha + 255 * (255 - alpha) + 128) shl 7
        return ((sum ushr 8) + sum ushr 8 ushr 7) shl shift
    }
    return (255 shl 24) or blend(16) or blend(8) or blend(0)
}
