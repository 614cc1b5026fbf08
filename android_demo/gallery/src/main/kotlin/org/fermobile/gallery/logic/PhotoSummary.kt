package org.fermobile.gallery.logic

import org.fermobile.core.Flaw
import org.fermobile.core.PhotoResult
import org.fermobile.core.Quality

/**
 * What the gallery keeps of a photo's result.
 *
 * @property quality of its only face; null where there are several or none, so is [flaw].
 */
data class PhotoSummary(
    val label: String? = null,
    val confidence: Float? = null,
    val quality: Double? = null,
    val flaw: Flaw? = null,
    val error: String? = null,
    val tooLarge: Boolean = false,
) {
    /** The label that is shown: [Expressions.UNSURE] where the only face is below a least quality. */
    fun label(minQuality: Double): String? = if (Quality.isPoor(quality, minQuality)) Expressions.UNSURE else label
}

/** What the gallery keeps of a result. */
fun summaryOf(result: PhotoResult): PhotoSummary {
    val face = result.faces.singleOrNull()
    return PhotoSummary(result.label, result.confidence, face?.quality, face?.flaw, result.error, result.tooLarge)
}
