package org.fermobile.gallery.ui

import android.content.Context
import org.fermobile.core.Flaw
import org.fermobile.core.Stage
import org.fermobile.gallery.R
import org.fermobile.gallery.logic.Expressions
import java.math.RoundingMode
import java.text.NumberFormat

private val NAMES = mapOf(
    "neutral" to R.string.neutral,
    "happiness" to R.string.happiness,
    "surprise" to R.string.surprise,
    "sadness" to R.string.sadness,
    "anger" to R.string.anger,
    "disgust" to R.string.disgust,
    "fear" to R.string.fear,
    "contempt" to R.string.contempt,
    Expressions.MULTIPLE to R.string.multiple,
    Expressions.UNSURE to R.string.unsure,
)

/** A label in the user's language; as it is where it is none of ours. */
fun Context.nameOf(label: String): String = NAMES[label]?.let(::getString) ?: label

/** What lowers a face's quality. */
fun Context.nameOf(flaw: Flaw): String = getString(
    when (flaw) {
        Flaw.TOO_SMALL -> R.string.too_small
        Flaw.BLURRED -> R.string.blurred
        Flaw.TOO_DARK -> R.string.too_dark
        Flaw.TOO_BRIGHT -> R.string.too_bright
        Flaw.LOW_CONTRAST -> R.string.low_contrast
        Flaw.STRETCHED -> R.string.stretched
        Flaw.TILTED -> R.string.tilted
        Flaw.HARDLY_A_FACE -> R.string.hardly_a_face
    },
)

/** Why a photo shows nothing. */
fun Context.reasonOf(tooLarge: Boolean): String =
    getString(if (tooLarge) R.string.photo_too_large else R.string.unreadable)

fun Context.nameOf(stage: Stage): String = getString(
    when (stage) {
        Stage.DECODE -> R.string.decode
        Stage.DETECT -> R.string.detect
        Stage.RESIZE -> R.string.resize
        Stage.GRAY -> R.string.gray
        Stage.CLASSIFY -> R.string.classify
        Stage.TOTAL -> R.string.total
    },
)

/** A share of 0 to 1 in whole per cent, as the user writes it; only the whole is 100 %. */
fun percent(share: Float): String = NumberFormat.getPercentInstance().run {
    roundingMode = RoundingMode.DOWN
    format(share + 1e-6) // 0.95f is a little less than 0.95
}

/** A share of 0 to 1 in per cent with so many digits after the point. */
fun percent(share: Number, digits: Int): String = NumberFormat.getPercentInstance().run {
    minimumFractionDigits = digits
    maximumFractionDigits = digits
    format(share)
}

/** A number with so many digits after the point, as the user writes it. */
fun decimal(value: Number, digits: Int): String = NumberFormat.getNumberInstance().run {
    minimumFractionDigits = digits
    maximumFractionDigits = digits
    format(value)
}
