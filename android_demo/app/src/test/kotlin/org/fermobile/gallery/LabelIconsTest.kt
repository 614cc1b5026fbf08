package org.fermobile.gallery

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.text.Spanned
import android.text.style.ImageSpan
import org.fermobile.core.Contract
import org.fermobile.gallery.logic.Vocabulary
import org.fermobile.gallery.ui.iconOf
import org.fermobile.gallery.ui.letterDrawable
import org.fermobile.gallery.ui.letterOf
import org.fermobile.gallery.ui.vocabularyOf
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.nio.ByteBuffer

/** Labels of a user's own. */
@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35])
class LabelIconsTest {
    private val labels = Vocabulary(listOf("calm", "happy", "wild"))

    @Test
    fun aLabelThatSpellsAnExpressionHasItsEmoji() {
        assertEquals("😀", iconOf("happy", labels, 20f))
        assertNull(letterDrawable("happy", labels, 20))
    }

    @Test
    fun theEmojiOfAContractAreDrawnWhereAFontHasThem() {
        val file = File(repository, "models/compact/compact_int8.tflite")
        val contract = Contract.read(ByteBuffer.wrap(file.readBytes()), file.name).contract
        val emoji = mapOf("wild" to "🦁", "calm" to "\uE123")
        val vocabulary = vocabularyOf(contract.copy(labels = labels.labels, emoji = emoji))
        assertEquals("🦁", iconOf("wild", vocabulary, 20f))
        assertEquals("C", iconOf("calm", vocabulary, 20f).toString())
    }

    @Test
    fun anotherIsALetter() {
        assertEquals(listOf("C", "É", "3", "?"), listOf("calm", "“élan”", "3rd", "?!").map(::letterOf))
        val icon = iconOf("wild", labels, 20f) as Spanned
        assertEquals("W", icon.toString())
        assertEquals(1, icon.getSpans(0, 1, ImageSpan::class.java).size)
    }

    @Test
    fun eachHasAColourOfItsOwn() {
        assertEquals(listOf("#1f66b0", "#b5460f").map(Color::parseColor), listOf(edge("calm"), edge("wild")))
    }

    /** The colour of the disc, beside the letter. */
    private fun edge(label: String): Int {
        val bitmap = Bitmap.createBitmap(40, 40, Bitmap.Config.ARGB_8888)
        letterDrawable(label, labels, 40)!!.draw(Canvas(bitmap))
        return bitmap.getPixel(20, 2)
    }
}
