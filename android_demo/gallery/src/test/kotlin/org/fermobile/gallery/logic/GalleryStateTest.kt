package org.fermobile.gallery.logic

import org.fermobile.core.Box
import org.fermobile.core.Face
import org.fermobile.core.Flaw
import org.fermobile.core.PhotoResult
import org.fermobile.gallery.logic.GalleryEvent.Back
import org.fermobile.gallery.logic.GalleryEvent.Cancel
import org.fermobile.gallery.logic.GalleryEvent.FilterAll
import org.fermobile.gallery.logic.GalleryEvent.MinQuality
import org.fermobile.gallery.logic.GalleryEvent.ModelChanged
import org.fermobile.gallery.logic.GalleryEvent.PhotosListed
import org.fermobile.gallery.logic.GalleryEvent.ResultsArrived
import org.fermobile.gallery.logic.GalleryEvent.Toggle
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import kotlin.random.Random

class GalleryStateTest {
    private val results = mapOf(
        "happy" to one("happiness", 0.9f),
        "sad" to one("sadness", 0.6f),
        "group" to summaryOf(PhotoResult(label = Expressions.MULTIPLE, faces = listOf(face("fear", 0.5f), face("anger", 0.4f)))),
        "cat" to PhotoSummary(),
        "broken" to PhotoSummary(error = "broken: expected a photo, found none."),
    )
    private val photos = results.keys.toList()
    private val start = GalleryState(identity = "model").on(PhotosListed(photos))
    private val filtered = start.on(FilterAll).on(ResultsArrived("model", results))

    private fun one(label: String, confidence: Float) =
        summaryOf(PhotoResult(label, confidence, listOf(face(label, confidence))))

    /** The surer, the better to be seen. */
    private fun face(label: String, confidence: Float) = Face(
        Box(0.0, 0.0, 9.0, 9.0), label, confidence, mapOf(label to confidence), quality = confidence.toDouble(), flaw = Flaw.TOO_DARK,
    )

    private fun GalleryState.shown() = tiles.map { it.photo }

    @Test
    fun atFirstAllPhotosAreShownBare() {
        assertEquals(photos.map { Tile(it) }, start.tiles)
        assertEquals(photos, start.pending)
        assertTrue(start.selected.isEmpty())
    }

    @Test
    fun filterAllRunsUntilEveryPhotoHasItsResult() {
        var state = start.on(FilterAll)
        for ((photo, result) in results) {
            assertEquals(Phase.FILTERING, state.phase)
            assertEquals(photo, state.pending.first())
            state = state.on(ResultsArrived("model", mapOf(photo to result)))
            assertEquals("all stay in place meanwhile", photos, state.shown())
            assertEquals(result.label, state.tiles[photos.indexOf(photo)].label)
        }
        assertEquals(filtered, state)
        assertEquals(Phase.FILTERED, state.phase)
    }

    @Test
    fun withoutASelectionEveryPhotoCarriesWhatIsKnown() {
        assertEquals(photos, filtered.shown())
        assertEquals(Tile("happy", "happiness", 0.9f), filtered.tiles[0])
        assertEquals(Tile("group", Expressions.MULTIPLE), filtered.tiles[2])
        assertEquals(Tile("cat"), filtered.tiles[3])
        assertEquals(Tile("broken", error = "broken: expected a photo, found none."), filtered.tiles[4])
    }

    @Test
    fun aSelectionLeavesOutTheOthersNoFaceAndFailures() {
        assertEquals(listOf("happy"), filtered.on(Toggle("happiness")).shown())
        assertEquals(listOf("happy", "group"), filtered.on(Toggle("happiness")).on(Toggle("multiple")).shown())
        assertEquals("a face of a group does not count", emptyList<String>(), filtered.on(Toggle("fear")).shown())
        assertEquals("again puts it off", photos, filtered.on(Toggle("sadness")).on(Toggle("sadness")).shown())
        assertSame("no such expression", filtered, filtered.on(Toggle("joy")))
    }

    @Test
    fun aSelectionMadeBeforehandAppliesWhenAllAreThere() {
        val early = start.on(Toggle("sadness"))
        assertEquals(photos, early.shown())
        val running = early.on(FilterAll)
        assertEquals(photos, running.shown())
        assertEquals(listOf("sad"), running.on(ResultsArrived("model", results)).shown())
    }

    @Test
    fun backRestoresTheFirstStateAndForgetsNoResult() {
        val back = filtered.on(Toggle("sadness")).on(Back)
        assertEquals(start.tiles, back.tiles)
        assertTrue(back.selected.isEmpty())
        val again = back.on(FilterAll)
        assertEquals("only what failed is tried again", listOf("broken"), again.pending)
        assertEquals(filtered, again.on(ResultsArrived("model", results)))
    }

    @Test
    fun cancelKeepsWhatIsDone() {
        val some = start.on(FilterAll).on(ResultsArrived("model", results - "cat")).on(Cancel)
        assertEquals(Phase.BROWSING, some.phase)
        assertEquals(start.tiles, some.tiles)
        assertEquals(listOf("cat", "broken"), some.on(FilterAll).pending)
        val late = some.on(ResultsArrived("model", results))
        assertEquals("a photo that was under way", Phase.BROWSING, late.phase)
        assertTrue(late.pending.isEmpty())
        assertSame("nothing to cancel", filtered, filtered.on(Cancel))
    }

    @Test
    fun anotherModelComputesAnew() {
        val changed = filtered.on(ModelChanged("other", Vocabulary(listOf("neutral", "happiness", "bored"))))
        assertEquals(start.tiles, changed.tiles)
        assertEquals(photos, changed.pending)
        assertEquals(listOf("neutral", "happiness", "bored", "multiple"), changed.bar)
        assertSame("results of the old one come too late", changed, changed.on(ResultsArrived("model", results)))
        assertSame(filtered, filtered.on(ModelChanged("model", Vocabulary())))
    }

    @Test
    fun photosThatComeAndGo() {
        val fewer = filtered.on(PhotosListed(listOf("sad", "cat")))
        assertEquals(Phase.FILTERED, fewer.phase)
        assertEquals(setOf("sad", "cat"), fewer.results.keys)
        val more = fewer.on(PhotosListed(listOf("new", "sad", "cat")))
        assertEquals("goes on by itself", Phase.FILTERING, more.phase)
        assertEquals(listOf("new"), more.pending)
        val none = start.on(PhotosListed(emptyList())).on(FilterAll)
        assertEquals(Phase.FILTERED, none.phase)
    }

    @Test
    fun theBarCountsPhotos() {
        assertEquals(
            listOf("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt", "multiple"),
            filtered.bar,
        )
        assertEquals(mapOf("happiness" to 1, "sadness" to 1, "multiple" to 1), filtered.counts.filterValues { it > 0 })
        assertEquals(filtered.bar, filtered.counts.keys.toList())
    }

    @Test
    fun aPoorFaceIsUnsureAndCountsUnderNoExpression() {
        val strict = filtered.on(MinQuality(0.7))
        assertEquals(Tile("sad", Expressions.UNSURE, flaw = Flaw.TOO_DARK), strict.tiles[1])
        assertEquals(Tile("happy", "happiness", 0.9f), strict.tiles[0])
        assertEquals("each of several has its own", Tile("group", Expressions.MULTIPLE), strict.tiles[2])
        assertEquals(filtered.bar + Expressions.UNSURE, strict.bar)
        assertEquals(0, strict.counts["sadness"])
        assertEquals(1, strict.counts[Expressions.UNSURE])
        val unsure = strict.on(Toggle(Expressions.UNSURE))
        assertEquals(listOf("sad"), unsure.shown())
        assertEquals("nothing is lost", filtered, unsure.on(MinQuality(0.0)))
        assertEquals("a selection stays", listOf("sad", "happy").toSet(), unsure.on(MinQuality(0.95)).shown().toSet())
        assertEquals("it is the app's, not the model's", 0.7, strict.on(ModelChanged("other", Vocabulary())).minQuality, 0.0)
    }

    @Test
    fun whateverHappensTheStateHolds() {
        val random = Random(8)
        repeat(300) {
            var state = start
            repeat(40) {
                state = state.on(anyEvent(random, state))
                assertTrue(state.results.keys.all { it in photos })
                assertTrue(state.selected.all { it in state.bar })
                assertTrue(state.shown().all { it in state.photos })
                assertEquals(state.phase == Phase.FILTERED, state.phase != Phase.BROWSING && state.pending.isEmpty())
                if (state.phase == Phase.BROWSING) assertTrue(state.tiles.all { it.label == null && it.error == null })
            }
        }
    }

    private fun anyEvent(random: Random, state: GalleryState): GalleryEvent = when (random.nextInt(9)) {
        0 -> PhotosListed(photos.shuffled(random).take(random.nextInt(photos.size + 1)))
        1, 2 -> FilterAll
        3 -> Cancel
        4 -> Back
        7 -> MinQuality(listOf(0.0, 0.7).random(random))
        5 -> Toggle((state.bar + "joy").random(random))
        6 -> ModelChanged(listOf("model", "other").random(random), Vocabulary())
        else -> ResultsArrived("model", photos.filter { random.nextBoolean() }.associateWith(results::getValue))
    }
}
