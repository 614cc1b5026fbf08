package org.fermobile.gallery

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.BitmapRegionDecoder
import android.graphics.Color
import android.graphics.ColorSpace
import android.graphics.Rect
import androidx.exifinterface.media.ExifInterface
import org.fermobile.core.PhotoException
import org.fermobile.core.Region
import org.fermobile.fer.photoSource
import org.fermobile.fer.smallerIfNeeded
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadow.api.Shadow
import org.robolectric.util.ReflectionHelpers
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.EOFException
import java.io.File
import java.io.InputStream

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35])
class DecoderTest {
    @Test
    fun whereMemoryIsShortAPhotoIsDecodedSmaller() {
        val tried = mutableListOf<Int>()
        val decoded = smallerIfNeeded(1) { factor ->
            tried += factor
            if (factor < 4) throw OutOfMemoryError()
            "a quarter"
        }
        assertEquals("a quarter", decoded)
        assertEquals(listOf(1, 2, 4), tried)
        assertThrows(OutOfMemoryError::class.java) { smallerIfNeeded(1) { throw OutOfMemoryError() } }
    }

    @Test
    fun whatNoReductionHelpsIsTooLarge() {
        val photo = photoSource { throw OutOfMemoryError() }
        assertTrue(assertThrows(PhotoException::class.java) { photo.load(1) }.tooLarge)
        assertFalse(assertThrows(PhotoException::class.java) { photoSource { null }.load(1) }.tooLarge)
    }

    @Test
    fun anErrorWithoutMessageIsNamedByItsClass() {
        for (cause in listOf(EOFException(), IllegalStateException())) {
            val error = assertThrows(PhotoException::class.java) { photoSource { throw cause }.load(1) }
            assertEquals("the photo: expected one that can be decoded, found ${cause.javaClass.simpleName}.", error.message)
        }
    }

    @Test
    @Config(shadows = [CuttingDecoder::class])
    fun aPartIsThatOfTheUprightPhoto() {
        val file = File.createTempFile("turned", ".jpg")
        bundled("four-portraits").single().copyTo(file, overwrite = true)
        ExifInterface(file).apply {
            setAttribute(ExifInterface.TAG_ORIENTATION, "6")
            saveAttributes()
        }
        val source = photoSource(file::inputStream)
        val whole = source.load(100_000).image
        val part = Region(30, 170, 90, 50)
        val expected = IntArray(90 * 50) { whole.pixels[(170 + it / 90) * whole.width + 30 + it % 90] }
        assertArrayEquals(expected, source.loadPart(part)!!.pixels)
        assertNull(photoSource { "no photo".byteInputStream() }.loadPart(part))
    }

    /** As `tests/test_colour.py` has it of Python: the models know sRGB alone. */
    @Test
    fun coloursBecomeSrgbByTheProfile() {
        for (name in listOf(ColorSpace.Named.DISPLAY_P3, ColorSpace.Named.ADOBE_RGB)) {
            val tagged = png(ColorSpace.get(name))
            assertTrue("it has a profile", "iCCP" in String(tagged, Charsets.ISO_8859_1))
            val colour = photoSource { ByteArrayInputStream(tagged) }.load(1).image.pixels.toSet().single()
            val toSrgb = ColorSpace.connect(ColorSpace.get(name), ColorSpace.get(ColorSpace.Named.SRGB))
            val expected = toSrgb.transform(200 / 255f, 120 / 255f, 90 / 255f).map { 255 * it }
            val levels = listOf(Color.red(colour), Color.green(colour), Color.blue(colour))
            for ((level, wanted) in levels.zip(expected)) assertEquals("$name", wanted, level.toFloat(), 1.5f)
            assertTrue("$name is wider", expected[0] > 205)
        }
    }

    @Test
    fun adobeRgbIsHeededThatExifAloneTells() {
        val bitmap = Bitmap.createBitmap(16, 16, Bitmap.Config.ARGB_8888)
        bitmap.eraseColor(Color.rgb(180, 90, 60))
        val toSrgb = ColorSpace.connect(ColorSpace.get(ColorSpace.Named.ADOBE_RGB), ColorSpace.get(ColorSpace.Named.SRGB))
        val expected = toSrgb.transform(180 / 255f, 90 / 255f, 60 / 255f).map { 255 * it }
        for ((index, wanted) in mapOf("R03" to expected, "R98" to listOf(180f, 90f, 60f))) {
            val file = File.createTempFile("adobe", ".jpg")
            file.writeBytes(compressed(bitmap, Bitmap.CompressFormat.JPEG, quality = 100))
            ExifInterface(file).apply {
                setAttribute(ExifInterface.TAG_COLOR_SPACE, "${ExifInterface.COLOR_SPACE_UNCALIBRATED}")
                setAttribute(ExifInterface.TAG_INTEROPERABILITY_INDEX, index)
                saveAttributes()
            }
            val colour = load(file.readBytes()).image.pixels.first()
            file.delete()
            val levels = listOf(Color.red(colour), Color.green(colour), Color.blue(colour))
            for ((level, right) in levels.zip(wanted)) assertEquals(index, right, level.toFloat(), 2.5f)
        }
    }

    /** As `tests/test_images.py` has it of Python: the last rows may be missing, and no more. */
    @Test
    fun aPhotoThatIsCutOffIsAnError() {
        val jpeg = File(repository, "fer_mobile/photos/affective-25/hopper-portrait.jpg").readBytes()
        val bitmap = BitmapFactory.decodeByteArray(jpeg, 0, jpeg.size)
        val webp = compressed(bitmap, Bitmap.CompressFormat.WEBP_LOSSY)
        for (whole in listOf(jpeg, compressed(bitmap, Bitmap.CompressFormat.PNG), webp)) {
            load(whole)
            for (share in listOf(0.5, 0.8)) for (longSide in listOf(1, 4000)) {
                val part = whole.copyOf((share * whole.size).toInt())
                val error = assertThrows(PhotoException::class.java) { load(part, longSide) }
                assertTrue("${error.message}", "found one that is cut off" in error.message!! || whole === webp)
            }
        }
        for (longSide in listOf(1, 4000)) {
            val nearly = load(jpeg.copyOf(jpeg.size - 60), longSide)
            assertEquals(bitmap.width to bitmap.height, nearly.width to nearly.height)
        }
    }

    @Test
    fun aBlackEdgeIsNoCut() {
        val bitmap = Bitmap.createBitmap(64, 64, Bitmap.Config.ARGB_8888)
        bitmap.eraseColor(Color.BLACK)
        bitmap.setPixel(3, 3, Color.WHITE)
        for (format in listOf(Bitmap.CompressFormat.JPEG, Bitmap.CompressFormat.PNG, Bitmap.CompressFormat.WEBP_LOSSY)) {
            load(compressed(bitmap, format) + ByteArray(100)) // something may follow the picture
        }
    }

    private fun load(content: ByteArray, longSide: Int = 1) = photoSource { ByteArrayInputStream(content) }.load(longSide)

    private fun compressed(bitmap: Bitmap, format: Bitmap.CompressFormat, quality: Int = 90): ByteArray =
        ByteArrayOutputStream().apply { bitmap.compress(format, quality, this) }.toByteArray()

    private fun png(space: ColorSpace): ByteArray {
        val bitmap = Bitmap.createBitmap(8, 8, Bitmap.Config.ARGB_8888, true, ColorSpace.get(ColorSpace.Named.SRGB))
        bitmap.eraseColor(Color.rgb(200, 120, 90))
        bitmap.setColorSpace(space) // the same levels under another name
        return ByteArrayOutputStream().apply { bitmap.compress(Bitmap.CompressFormat.PNG, 100, this) }.toByteArray()
    }
}

/** Cuts parts out of the whole photo: Robolectric decodes none. */
@Implements(BitmapRegionDecoder::class)
class CuttingDecoder {
    private lateinit var whole: Bitmap

    @Implementation
    fun decodeRegion(part: Rect, @Suppress("UNUSED_PARAMETER") options: BitmapFactory.Options?): Bitmap =
        Bitmap.createBitmap(whole, part.left, part.top, part.width(), part.height())

    @Implementation
    fun recycle() = Unit

    companion object {
        @JvmStatic
        @Implementation
        fun newInstance(stream: InputStream, @Suppress("UNUSED_PARAMETER") shareable: Boolean): BitmapRegionDecoder =
            ReflectionHelpers.callConstructor(
                BitmapRegionDecoder::class.java, ReflectionHelpers.ClassParameter.from(Long::class.java, 0L),
            ).also { Shadow.extract<CuttingDecoder>(it).whole = BitmapFactory.decodeStream(stream) }
    }
}
