package org.fermobile.core

/** The vocabulary of the shipped models, and how an app shows it. */
object Expressions {
    /** The eight expressions in the order of a shipped model's output. */
    val LABELS = listOf(
        "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    )

    /** A photo's label when it shows more than one face. */
    const val MULTIPLE = "multiple"

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

    private val BAR = listOf(
        "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
    )

    /** What a filter bar offers for a model with these [labels], in the bar's order. */
    fun bar(labels: List<String> = LABELS): List<String> =
        BAR.filter { it in labels } + labels.filter { it !in BAR } + MULTIPLE
}
