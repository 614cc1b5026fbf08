package org.fermobile.gallery.ui

import android.graphics.Canvas
import android.graphics.Color
import android.graphics.ColorFilter
import android.graphics.Paint
import android.graphics.PixelFormat
import android.graphics.Typeface
import android.graphics.drawable.Drawable
import android.text.SpannableString
import android.text.Spanned
import android.text.style.ImageSpan
import org.fermobile.core.Contract
import org.fermobile.gallery.logic.Vocabulary

/** Of labels without an emoji, in turn, as in the Python package's report; white can be read on each. */
private val COLOURS = listOf(
    0x1f66b0, 0xb5460f, 0x2e7d32, 0x8e3aa8, 0xb3261e,
    0x00727a, 0x6d5d00, 0x5b5bd6, 0xa3195b, 0x5d4037,
)

private const val OPAQUE = 0xff shl 24

/** What stands for a label without an emoji: its first letter or digit, as a capital. */
fun letterOf(label: String): String {
    var at = 0
    while (at < label.length) {
        val point = label.codePointAt(at)
        if (Character.isLetterOrDigit(point)) return String(Character.toChars(Character.toUpperCase(point)))
        at += Character.charCount(point)
    }
    return label.take(1)
}

/** A letter in a disc of a colour, [side] px high. */
class LetterDrawable(private val letter: String, colour: Int, private val side: Int) : Drawable() {
    private val disc = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = colour }
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = Color.WHITE
        textAlign = Paint.Align.CENTER
        textSize = 0.7f * side
        typeface = Typeface.DEFAULT_BOLD
    }

    init {
        setBounds(0, 0, side, side)
    }

    override fun getIntrinsicWidth() = side

    override fun getIntrinsicHeight() = side

    override fun draw(canvas: Canvas) {
        val (x, y) = bounds.exactCenterX() to bounds.exactCenterY()
        canvas.drawCircle(x, y, bounds.width() / 2f, disc)
        canvas.drawText(letter, x, y - (text.ascent() + text.descent()) / 2, text)
    }

    override fun setAlpha(alpha: Int) {
        disc.alpha = alpha
        text.alpha = alpha
    }

    override fun setColorFilter(filter: ColorFilter?) {
        disc.colorFilter = filter
    }

    @Deprecated("Nobody asks for it any more")
    override fun getOpacity() = PixelFormat.TRANSLUCENT
}

/** How this phone shows a model's labels: emoji of its contract that no font here has give way to letters. */
fun vocabularyOf(contract: Contract): Vocabulary {
    val paint = Paint()
    return Vocabulary(contract.labels, contract.emoji.filterValues(paint::hasGlyph))
}

/** The letter of a label without an emoji, in the colour of its place in the [vocabulary]; else null. */
fun letterDrawable(label: String, vocabulary: Vocabulary, side: Int): LetterDrawable? {
    if (vocabulary.emoji(label) != null) return null
    return LetterDrawable(letterOf(label), COLOURS[vocabulary.place(label) % COLOURS.size] or OPAQUE, side)
}

/** How a line of text of this size in px shows a label: by its emoji, or by its letter. */
fun iconOf(label: String, vocabulary: Vocabulary, textSize: Float): CharSequence {
    val drawable = letterDrawable(label, vocabulary, textSize.toInt()) ?: return vocabulary.emoji(label).orEmpty()
    return SpannableString(letterOf(label)).apply {
        setSpan(ImageSpan(drawable, ImageSpan.ALIGN_BASELINE), 0, length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
    }
}
