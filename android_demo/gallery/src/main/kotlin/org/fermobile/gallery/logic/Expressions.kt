package org.fermobile.gallery.logic

import org.fermobile.core.PhotoResult

/** The vocabulary of the shipped models, and how an app shows it. */
object Expressions {
    /** The eight expressions in the order of a shipped model's output. */
    val LABELS = listOf(
        "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    )

    /** A photo's label when it shows more than one face. */
    const val MULTIPLE = PhotoResult.MULTIPLE

    /** A photo's label when its face is too poor to be labelled. */
    const val UNSURE = PhotoResult.UNSURE

    /** One emoji a label. */
    val EMOJI = mapOf(
        "neutral" to "😐",
        "happiness" to "😀",
        "surprise" to "😮",
        "sadness" to "😢",
        "anger" to "😠",
        "disgust" to "🤢",
        "fear" to "😨",
        "contempt" to "😒",
        MULTIPLE to "👥",
    )

    /** Other spellings of the labels, which models of others may have. */
    val ALIASES = mapOf(
        "angry" to "anger",
        "contemptuous" to "contempt",
        "disgusted" to "disgust",
        "afraid" to "fear",
        "fearful" to "fear",
        "happy" to "happiness",
        "sad" to "sadness",
        "surprised" to "surprise",
    )

    /** The emoji of a label in any known spelling, or of [UNSURE]; null for an unknown one. */
    fun emoji(label: String): String? = if (label == UNSURE) UNSURE_EMOJI else EMOJI[canonical(label)]

    /** The label of [LABELS] or [MULTIPLE] that [name] spells; [name] itself where it spells none. */
    fun canonical(name: String): String = name.trim().lowercase().let { ALIASES[it] ?: it }.takeIf { it in EMOJI } ?: name

    private const val UNSURE_EMOJI = "❓"

    private val BAR = listOf(
        "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
    )

    /** What a filter bar offers for a model with these [labels], in the bar's order; unknown ones come last. */
    fun bar(labels: List<String> = LABELS): List<String> =
        labels.sortedBy { label -> BAR.indexOf(canonical(label)).takeIf { it >= 0 } ?: BAR.size } + MULTIPLE
}
