package org.fermobile.gallery.logic

import com.sun.management.ThreadMXBean
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File
import java.lang.management.ManagementFactory

/** What a library of 10,000 photos costs the main thread: bytes that a step allocates, and its time. */
class GalleryCostTest {
    private class Cost(val kilobytes: Long, val milliseconds: Double)

    private val thread = ManagementFactory.getThreadMXBean() as ThreadMXBean
    private val photos = List(10_000) { "content://media/external/images/media/$it" }
    private val results = photos.withIndex().associate { (index, photo) ->
        photo to PhotoSummary(Expressions.LABELS[index % 8], 0.9f)
    }
    private val filtered = GalleryState(identity = "model", photos = photos, results = results, phase = Phase.FILTERED)

    private fun <T> costOf(step: () -> T): Cost {
        repeat(TIMES) { step() } // classes are loaded
        val before = thread.currentThreadAllocatedBytes
        val start = System.nanoTime()
        repeat(TIMES) { step() }
        val milliseconds = (System.nanoTime() - start) / 1e6 / TIMES
        return Cost((thread.currentThreadAllocatedBytes - before) / 1000 / TIMES, milliseconds)
    }

    /** benchmarks/android_gallery.py makes a row of it; where the offline build does not ask for one, there is none. */
    @Test
    fun aStepOfTheGalleryIsCheap() {
        val next = photos.take(40).associateWith { PhotoSummary("fear", 0.8f) }
        val running = filtered.copy(phase = Phase.FILTERING, results = results - next.keys)
        val costs = mapOf(
            "hand in 40 results" to costOf { running.on(GalleryEvent.ResultsArrived("model", next)) },
            "touch an expression" to costOf { filtered.on(GalleryEvent.Toggle("fear")) },
            "the tiles of one expression" to costOf { filtered.copy(selected = setOf("fear")).tiles },
            "all tiles" to costOf { filtered.tiles },
            "counts" to costOf { filtered.counts },
            "pending" to costOf { running.pending },
        )
        println(costs.entries.joinToString(prefix = "10,000 photos: ") { "${it.key} ${it.value.kilobytes} kB" })
        assertTrue("${costs.mapValues { it.value.kilobytes }}", costs.values.all { it.kilobytes < 2_000 })
        val rows = costs.entries.joinToString(prefix = "{", postfix = "}") { (step, cost) ->
            "\"$step\": {\"kilobytes\": ${cost.kilobytes}, \"ms\": ${cost.milliseconds}}"
        }
        System.getProperty("fermobile.out")?.let { File(it, "gallery_steps.json").writeText(rows) }
    }

    private companion object {
        const val TIMES = 20
    }
}
