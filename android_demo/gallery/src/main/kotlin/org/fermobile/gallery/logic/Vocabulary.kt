package org.fermobile.gallery.logic

/**
 * How a model's [labels] are shown.
 *
 * @property emoji of those labels that the model's contract gives one; it goes before ours.
 */
data class Vocabulary(val labels: List<String> = Expressions.LABELS, private val emoji: Map<String, String> = emptyMap()) {
    /** The emoji of a label; null for one that a letter stands for. */
    fun emoji(label: String): String? = emoji[label] ?: Expressions.emoji(label)

    /** The place of a label among those without an emoji, which has a colour; 0 for one that is none of them. */
    fun place(label: String): Int = labels.filter { emoji(it) == null }.indexOf(label).coerceAtLeast(0)
}
