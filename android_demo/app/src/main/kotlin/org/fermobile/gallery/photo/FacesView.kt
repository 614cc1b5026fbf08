package org.fermobile.gallery.photo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import androidx.appcompat.widget.AppCompatImageView
import androidx.core.content.ContextCompat
import androidx.core.graphics.withTranslation
import org.fermobile.core.Face
import org.fermobile.core.PhotoResult
import org.fermobile.gallery.R
import org.fermobile.gallery.logic.Expressions
import org.fermobile.gallery.logic.Vocabulary
import org.fermobile.gallery.ui.letterDrawable

/** A photo with a box and an emoji or letter for every face. */
class FacesView(context: Context, attributes: AttributeSet?) : AppCompatImageView(context, attributes) {
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = 3 * resources.displayMetrics.density
        color = ContextCompat.getColor(context, R.color.box)
    }
    private val emoji = Paint(Paint.ANTI_ALIAS_FLAG).apply { textSize = 24 * resources.displayMetrics.density }
    private val corners = RectF()

    /** Of the model that gave [result]. */
    var vocabulary = Vocabulary()

    /** What is drawn over the photo. */
    var result: PhotoResult? = null
        set(value) {
            field = value
            invalidate()
        }

    /** Faces of a lower quality are drawn as unsure. */
    var minQuality = 0.0
        set(value) {
            field = value
            invalidate()
        }

    override fun onDraw(canvas: Canvas) {
        super.onDraw(canvas)
        val photo = drawable ?: return
        val shown = result?.takeIf { it.width > 0 } ?: return
        val save = canvas.save()
        canvas.translate(paddingLeft.toFloat(), paddingTop.toFloat())
        for (face in shown.faces) {
            place(face, photo.intrinsicWidth.toFloat() / shown.width)
            canvas.drawRect(corners, line)
            val above = if (corners.top > emoji.textSize) corners.top else corners.bottom
            val label = if (face.isUnsure(minQuality)) Expressions.UNSURE else face.label
            val letter = letterDrawable(label, vocabulary, emoji.textSize.toInt())
            if (letter == null) {
                canvas.drawText(vocabulary.emoji(label).orEmpty(), corners.left, above - line.strokeWidth, emoji)
            } else {
                val top = above - line.strokeWidth - letter.intrinsicHeight
                canvas.withTranslation(corners.left, top) { letter.draw(this) }
            }
        }
        canvas.restoreToCount(save)
    }

    private fun place(face: Face, scale: Float) = with(face.box.scaled(scale.toDouble())) {
        corners.set(x.toFloat(), y.toFloat(), (x + width).toFloat(), (y + height).toFloat())
        imageMatrix.mapRect(corners)
    }
}
