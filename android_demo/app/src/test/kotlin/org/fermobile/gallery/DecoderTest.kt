package org.fermobile.gallery

import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.ColorSpace
import org.fermobile.gallery.library.photoSource
import org.fermobile.gallery.library.smallerIfNeeded
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

    /** Python classifies the levels of the file, whatever colours they stand for. */
    @Test
    fun aColourProfileChangesNoLevel() {
        val tagged = png(ColorSpace.get(ColorSpace.Named.DISPLAY_P3))
        assertTrue("it has a profile", "iCCP" in String(tagged, Charsets.ISO_8859_1))
        val levels = photoSource { ByteArrayInputStream(tagged) }.load(1).image.pixels.toSet()
        assertEquals(setOf(Color.rgb(200, 30, 40)), levels)
    }

    private fun png(space: ColorSpace): ByteArray {
        val bitmap = Bitmap.createBitmap(8, 8, Bitmap.Config.ARGB_8888, true, ColorSpace.get(ColorSpace.Named.SRGB))
        bitmap.eraseColor(Color.rgb(200, 30, 40))
        bitmap.setColorSpace(space) // the same levels under another name
        return ByteArrayOutputStream().apply { bitmap.compress(Bitmap.CompressFormat.PNG, 100, this) }.toByteArray()
    }
}
