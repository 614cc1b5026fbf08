package org.fermobile.fer

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.BitmapRegionDecoder
import android.graphics.Canvas
import android.graphics.ColorSpace
import android.graphics.Matrix
import android.graphics.Rect
import android.net.Uri
import android.os.Build
import androidx.exifinterface.media.ExifInterface
import org.fermobile.core.ArgbImage
import org.fermobile.core.Photo
import org.fermobile.core.PhotoException
import org.fermobile.core.PhotoSource
import org.fermobile.core.Region
import java.io.IOException
import java.io.InputStream

/** Opens the bytes of one photo, again and again. */
typealias PhotoBytes = () -> InputStream?

/** The bytes of a photo of the library. */
fun ContentResolver.bytesOf(uri: Uri): PhotoBytes = { openInputStream(uri) }

private const val MOST_PIXELS = 200_000_000L
private const val MOST_REDUCED = 8

/** What a JPEG without its last bytes may lack: its last row of blocks, and what is held back of the one before. */
private const val LAST_ROWS = 18

/** Where memory is short. */
private const val SMALLEST_REDUCED = 64

/**
 * A photo for the pipeline: upright, opaque, in sRGB, decoded at a half, a quarter or an eighth where that
 * leaves pixels enough, as `fer_mobile/images.py` has it for JPEG; smaller where memory is short.  Photos of
 * other formats are reduced as well, which Python does not do: they would take a phone too much memory.
 */
fun photoSource(open: PhotoBytes): PhotoSource = object : PhotoSource {
    override fun load(minLongSide: Int): Photo = decodePhoto(open, minLongSide)

    override fun loadPart(part: Region): ArgbImage? = try {
        reading { decodePart(open, part) }
    } catch (_: PhotoException) { // of another format, or damaged
        null
    }
}

private fun decodePhoto(open: PhotoBytes, minLongSide: Int): Photo = reading {
    val (width, height, orientation, inAdobeRgb) = header(open)
    val turned = orientation >= ExifInterface.ORIENTATION_TRANSPOSE
    val pixels = smallerIfNeeded(reduction(maxOf(width, height), minLongSide)) { factor ->
        var bitmap = decode(open, factor) { inSrgb() }
        try {
            if (emptyRows(bitmap) > LAST_ROWS / factor && isCutOff(open)) throw unreadable("one that is cut off")
            if (inAdobeRgb) bitmap = fromAdobeRgb(bitmap)
            imageOf(bitmap).upright(orientation)
        } finally {
            bitmap.recycle()
        }
    }
    Photo(pixels, width = if (turned) height else width, height = if (turned) width else height)
}

@Suppress("DEPRECATION") // what replaces it is new in Android 12
private fun decodePart(open: PhotoBytes, part: Region): ArgbImage? {
    val (width, height, orientation, inAdobeRgb) = header(open)
    val decoder = stream(open) { BitmapRegionDecoder.newInstance(it, false) } ?: return null
    val options = BitmapFactory.Options().apply {
        inPreferredConfig = Bitmap.Config.ARGB_8888
        inSrgb()
    }
    var bitmap = try {
        with(part.stored(orientation, width, height)) {
            decoder.decodeRegion(Rect(left, top, left + this.width, top + this.height), options)
        }
    } finally {
        decoder.recycle()
    } ?: return null
    return try {
        if (inAdobeRgb) bitmap = fromAdobeRgb(bitmap)
        imageOf(bitmap).upright(orientation)
    } finally {
        bitmap.recycle()
    }
}

/** What [decode] gives at [factor]; where memory does not suffice, at twice that, and so on. */
fun <T> smallerIfNeeded(factor: Int, decode: (factor: Int) -> T): T = try {
    decode(factor)
} catch (error: OutOfMemoryError) {
    if (factor >= SMALLEST_REDUCED) throw error
    smallerIfNeeded(2 * factor, decode)
}

/**
 * A photo for the eye: upright, its longest side from [side] to less than twice as many pixels
 * (a small photo as it is; smaller where memory is short).
 *
 * @throws PhotoException where it cannot be read.
 */
@Throws(PhotoException::class)
fun decodePreview(open: PhotoBytes, side: Int): Bitmap = reading {
    val (width, height, orientation) = header(open)
    var factor = 1
    while (maxOf(width, height) >= 2 * factor * side) factor *= 2
    smallerIfNeeded(factor) { upright(decode(open, it), orientation) }
}

private fun reduction(longest: Int, least: Int): Int {
    var factor = MOST_REDUCED
    while (factor > 1 && longest < factor * least) factor /= 2
    return factor
}

/**
 * What is known of a photo before it is decoded.
 *
 * @property inAdobeRgb whether EXIF alone says so, which the decoder does not heed.
 */
private data class Header(val width: Int, val height: Int, val orientation: Int, val inAdobeRgb: Boolean)

private fun header(open: PhotoBytes): Header {
    val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    stream(open) { BitmapFactory.decodeStream(it, null, bounds) }
    if (bounds.outWidth <= 0 || bounds.outHeight <= 0) throw unreadable("something else")
    if (bounds.outWidth.toLong() * bounds.outHeight > MOST_PIXELS) {
        throw PhotoException(
            "the photo", expected = "at most ${MOST_PIXELS / 1_000_000} megapixels",
            found = "${bounds.outWidth}×${bounds.outHeight}", tooLarge = true,
        )
    }
    val exif = exif(open)
    val orientation = exif?.getAttributeInt(ExifInterface.TAG_ORIENTATION, 1) ?: ExifInterface.ORIENTATION_NORMAL
    return Header(bounds.outWidth, bounds.outHeight, orientation, bounds.saySrgb() && exif.saysAdobeRgb())
}

private fun decode(open: PhotoBytes, factor: Int, more: BitmapFactory.Options.() -> Unit = {}): Bitmap {
    val options = BitmapFactory.Options().apply {
        inSampleSize = factor
        inPreferredConfig = Bitmap.Config.ARGB_8888
        more()
    }
    return stream(open) { BitmapFactory.decodeStream(it, null, options) } ?: throw unreadable("a damaged one")
}

/** Colours become sRGB, as in Python; Android 7 knows no colour profiles and keeps the levels of the file. */
private fun BitmapFactory.Options.inSrgb() {
    if (Build.VERSION.SDK_INT >= 26) inPreferredColorSpace = ColorSpace.get(ColorSpace.Named.SRGB)
}

/** Whether nothing but EXIF says otherwise. */
private fun BitmapFactory.Options.saySrgb(): Boolean =
    Build.VERSION.SDK_INT >= 29 && outColorSpace == ColorSpace.get(ColorSpace.Named.SRGB)

private fun exif(open: PhotoBytes): ExifInterface? = try {
    stream(open) { ExifInterface(it) }
} catch (_: IOException) { // a damaged EXIF block says nothing
    null
}

/** As cameras say it by EXIF alone (DCF 2.0), where a photo has no profile. */
private fun ExifInterface?.saysAdobeRgb(): Boolean = this != null &&
    getAttributeInt(ExifInterface.TAG_COLOR_SPACE, 0) == ExifInterface.COLOR_SPACE_UNCALIBRATED &&
    getAttribute(ExifInterface.TAG_INTEROPERABILITY_INDEX) == "R03"

/** The bitmap, whose levels are those of Adobe RGB, in sRGB; Android 9 and older keep the levels. */
private fun fromAdobeRgb(bitmap: Bitmap): Bitmap {
    if (Build.VERSION.SDK_INT < 29) return bitmap
    bitmap.setColorSpace(ColorSpace.get(ColorSpace.Named.ADOBE_RGB))
    val srgb = Bitmap.createBitmap(bitmap.width, bitmap.height, Bitmap.Config.ARGB_8888)
    Canvas(srgb).drawBitmap(bitmap, 0f, 0f, null)
    bitmap.recycle()
    return srgb
}

/** A bitmap's pixels over white; those of one on the GPU are copied first. */
internal fun imageOf(bitmap: Bitmap): ArgbImage {
    val hardware = Build.VERSION.SDK_INT >= 26 && bitmap.config == Bitmap.Config.HARDWARE
    if (!hardware) return pixels(bitmap).overWhite()
    val copy = bitmap.copy(Bitmap.Config.ARGB_8888, false)
    return try {
        pixels(copy).overWhite()
    } finally {
        copy.recycle()
    }
}

private fun pixels(bitmap: Bitmap): ArgbImage {
    val pixels = IntArray(bitmap.width * bitmap.height)
    bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    return ArgbImage(bitmap.width, bitmap.height, pixels)
}

private fun upright(bitmap: Bitmap, orientation: Int): Bitmap {
    val matrix = Matrix()
    when (orientation) {
        ExifInterface.ORIENTATION_FLIP_HORIZONTAL -> matrix.setScale(-1f, 1f)
        ExifInterface.ORIENTATION_ROTATE_180 -> matrix.setRotate(180f)
        ExifInterface.ORIENTATION_FLIP_VERTICAL -> matrix.setScale(1f, -1f)
        ExifInterface.ORIENTATION_TRANSPOSE -> matrix.apply { setRotate(90f); postScale(-1f, 1f) }
        ExifInterface.ORIENTATION_ROTATE_90 -> matrix.setRotate(90f)
        ExifInterface.ORIENTATION_TRANSVERSE -> matrix.apply { setRotate(-90f); postScale(-1f, 1f) }
        ExifInterface.ORIENTATION_ROTATE_270 -> matrix.setRotate(-90f)
        else -> return bitmap
    }
    return Bitmap.createBitmap(bitmap, 0, 0, bitmap.width, bitmap.height, matrix, true)
}

private fun <T> stream(open: PhotoBytes, read: (InputStream) -> T): T =
    (open() ?: throw unreadable("nothing")).use(read)

private inline fun <T> reading(block: () -> T): T = try {
    block()
} catch (error: IOException) {
    throw unreadable(reasonOf(error), error)
} catch (error: SecurityException) { // access was withdrawn
    throw unreadable("no access", error)
} catch (error: RuntimeException) { // a provider of another app may throw anything
    throw unreadable(reasonOf(error), error)
} catch (error: OutOfMemoryError) {
    throw unreadable("one too large for this phone", error, tooLarge = true)
}

/** Some exceptions of Java and of other apps say no more than their class does. */
internal fun reasonOf(error: Throwable): String = error.message.orEmpty().ifBlank { error.javaClass.simpleName }

private fun unreadable(found: String, cause: Throwable? = null, tooLarge: Boolean = false) =
    PhotoException("the photo", expected = "one that can be decoded", found = found, cause = cause, tooLarge = tooLarge)
