package org.fermobile.gallery.logic

import com.sun.management.ThreadMXBean
import org.junit.Assert.assertTrue
import org.junit.Test
import java.lang.management.ManagementFactory

/** What a library of 10,000 photos costs the main thread: bytes that a step allocates. */
class GalleryCostTest {
    private val thread = ManagementFactory.getThreadMXBean() as ThreadMXBean
    private val photos = List(10_000) { "content://media/external/images/media/$it" }
    private val results = photos.withIndex().associate { (index, photo) ->
        photo to PhotoSummary(Expressions.LABELS[index % 8], 0.9f)
    }
    private val filtered = GalleryState(identity = "model", photos = photos, results = results, phase = Phase.FILTERED)

    private fun <T> kilobytes(step: () -> T): Long {
        step() // classes are loaded
        val before = thread.currentThreadAllocatedBytes
        step()
        return (thread.currentThreadAllocatedBytes - before) / 1000
    }

    @Test
    fun aStepOfTheGalleryIsCheap() {
        val next = photos.take(40).associateWith { PhotoSummary("fear", 0.8f) }
        val running = filtered.copy(phase = Phase.FILTERING, results = results - next.keys)
        val cost = mapOf(
            "hand in 40 results" to kilobytes { running.on(GalleryEvent.ResultsArrived("model", next)) },
            "touch an expression" to kilobytes { filtered.on(GalleryEvent.Toggle("fear")) },
            "the tiles of one expression" to kilobytes { filtered.copy(selected = setOf("fear")).tiles },
            "all tiles" to kilobytes { filtered.tiles },
            "counts" to kilobytes { filtered.counts },
            "pending" to kilobytes { running.pending },
        )
        println(cost.entries.joinToString(prefix = "10,000 photos: ") { "${it.key} ${it.value} kB" })
        assertTrue("$cost", cost.values.all { it < 2_000 })
    }
}
