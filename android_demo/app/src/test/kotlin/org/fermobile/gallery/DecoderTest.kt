package org.fermobile.gallery

import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.ColorSpace
import org.fermobile.fer.photoSource
import org.fermobile.fer.smallerIfNeeded
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream

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

    private fun png(space: ColorSpace): ByteArray {
        val bitmap = Bitmap.createBitmap(8, 8, Bitmap.Config.ARGB_8888, true, ColorSpace.get(ColorSpace.Named.SRGB))
        bitmap.eraseColor(Color.rgb(200, 120, 90))
        bitmap.setColorSpace(space) // the same levels under another name
        return ByteArrayOutputStream().apply { bitmap.compress(Bitmap.CompressFormat.PNG, 100, this) }.toByteArray()
    }
}
