package org.fermobile.gallery.logic

import org.fermobile.core.Flaw

/** What the gallery is doing. */
enum class Phase {
    /** All photos, without expressions. */
    BROWSING,

    /** "Filter all" is running over [GalleryState.pending]. */
    FILTERING,

    /** Every photo has its result; the filter applies. */
    FILTERED,
}

/** What happens to the gallery. */
sealed interface GalleryEvent {
    /** The photos of the library, by keys that change when a photo does. */
    data class PhotosListed(val photos: List<String>) : GalleryEvent

    data object FilterAll : GalleryEvent

    data object Cancel : GalleryEvent

    data object Back : GalleryEvent

    /** An expression of the bar was touched. */
    data class Toggle(val label: String) : GalleryEvent

    /**
     * Results (a failed photo's has an error) of the model with this [identity]; those of another
     * one come too late and are dropped.  A long run hands in several at a time.
     */
    data class ResultsArrived(val identity: String, val results: Map<String, PhotoSummary>) : GalleryEvent

    /** Faces of a lower quality are unsure from now on; 0 labels all. */
    data class MinQuality(val value: Double) : GalleryEvent

    /** Another model is in use: everything is to be computed again. */
    data class ModelChanged(val identity: String, val vocabulary: Vocabulary) : GalleryEvent
}

/** One photo of the grid; the rest is shown under it: [flaw] says why it is [unsure][Expressions.UNSURE]. */
data class Tile(
    val photo: String,
    val label: String? = null,
    val confidence: Float? = null,
    val flaw: Flaw? = null,
    val error: String? = null,
    val tooLarge: Boolean = false,
)

/**
 * The gallery: which photos, what is known of them, what is shown.  Immutable; [on] gives the next one.
 *
 * While no expression is selected the filter is off and [FILTERED][Phase.FILTERED] shows every
 * photo; with some selected it shows the photos with one of them, and so leaves out those without
 * a face and those that failed.
 *
 * @property identity of the pipeline ([Pipeline.identity]) whose results these are.
 * @property vocabulary of its model.
 * @property results by photo; they outlive [GalleryEvent.Back] and [GalleryEvent.Cancel], so that
 *   "Filter all" goes on where it was.
 * @property selected expressions of the bar that are on.
 * @property minQuality photos whose only face is poorer count as [unsure][Expressions.UNSURE], under no expression.
 */
data class GalleryState(
    val identity: String = "",
    val vocabulary: Vocabulary = Vocabulary(),
    val photos: List<String> = emptyList(),
    val results: Map<String, PhotoSummary> = emptyMap(),
    val phase: Phase = Phase.BROWSING,
    val selected: Set<String> = emptySet(),
    val minQuality: Double = 0.0,
) {
    /** What the bar offers. */
    val bar: List<String>
        get() = Expressions.bar(vocabulary.labels).let { if (minQuality > 0) it + Expressions.UNSURE else it }

    /** Photos without a result, in order. */
    val pending: List<String> get() = photos.filter { it !in results }

    /** What the grid shows. */
    val tiles: List<Tile>
        get() = when (phase) {
            Phase.BROWSING -> photos.map(::Tile)
            Phase.FILTERING -> photos.map(::tile)
            Phase.FILTERED -> photos.map(::tile).filter { selected.isEmpty() || it.label in selected }
        }

    /** Photos of every expression of the bar. */
    val counts: Map<String, Int>
        get() {
            val found = photos.mapNotNull { results[it]?.label(minQuality) }.groupingBy { it }.eachCount()
            return bar.associateWith { found[it] ?: 0 }
        }

    /** The state after an event. */
    fun on(event: GalleryEvent): GalleryState = when (event) {
        is GalleryEvent.PhotosListed -> {
            val known = event.photos.toHashSet()
            copy(photos = event.photos, results = results.filterKeys { it in known }).advanced()
        }
        // A photo that failed gets another chance: its provider may answer now.
        GalleryEvent.FilterAll ->
            copy(phase = Phase.FILTERING, results = results.filterValues { it.error == null }).advanced()
        GalleryEvent.Cancel -> if (phase == Phase.FILTERING) copy(phase = Phase.BROWSING) else this
        GalleryEvent.Back -> copy(phase = Phase.BROWSING, selected = emptySet())
        is GalleryEvent.Toggle -> when (event.label) {
            !in bar -> this
            in selected -> copy(selected = selected - event.label)
            else -> copy(selected = selected + event.label)
        }
        is GalleryEvent.ResultsArrived ->
            if (event.identity == identity) copy(results = results + event.results).advanced() else this
        is GalleryEvent.MinQuality ->
            copy(minQuality = event.value, selected = if (event.value > 0) selected else selected - Expressions.UNSURE)
        is GalleryEvent.ModelChanged ->
            if (event.identity == identity) {
                this
            } else {
                GalleryState(event.identity, event.vocabulary, photos, minQuality = minQuality)
            }
    }

    /** Filtering ends with the last result, and goes on where a photo has none. */
    private fun advanced(): GalleryState = when {
        phase == Phase.BROWSING -> this
        photos.all { it in results } -> copy(phase = Phase.FILTERED)
        else -> copy(phase = Phase.FILTERING)
    }

    private fun tile(photo: String): Tile {
        val known = results[photo] ?: return Tile(photo)
        val label = known.label(minQuality)
        return if (label == Expressions.UNSURE) {
            Tile(photo, label, flaw = known.flaw)
        } else {
            Tile(photo, label, known.confidence, error = known.error, tooLarge = known.tooLarge)
        }
    }
}
