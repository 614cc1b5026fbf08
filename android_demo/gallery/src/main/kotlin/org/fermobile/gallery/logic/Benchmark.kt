package org.fermobile.gallery.logic

import org.fermobile.core.InputException
import org.fermobile.core.PhotoResult
import org.fermobile.core.PhotoSource
import org.fermobile.core.Pipeline
import org.fermobile.core.Stage
import kotlin.math.abs

/** What a benchmark's passes over the photos gave. */
class Timings(
    /** Photos that could not be read; they are in no other figure. */
    val failed: Int,
    /** A row for every other photo: the median of its repetitions, in milliseconds. */
    val photos: List<Map<Stage, Double>>,
    /** Result of the first photo with a face (else the first one), in the untimed pass. */
    val first: PhotoResult,
    /** Of the passes, see [noise]. */
    val noise: Double?,
)

/**
 * Times the pipeline over photos, as `fer_mobile/bench/run.py`: an untimed pass over all of them,
 * then [repetitions] passes, so that a slow spell hits all photos alike.
 *
 * @param progress called after every timed pass with the passes done.
 * @throws InputException where no photo could be read or a number is out of range.
 */
fun runBenchmark(
    pipeline: Pipeline,
    photos: List<PhotoSource>,
    repetitions: Int,
    progress: (Int) -> Unit = {},
): Timings {
    if (repetitions < 1) throw InputException("repetitions", expected = "at least 1", found = "$repetitions")
    val warmUp = photos.map(pipeline::run)
    val readable = photos.indices.filter { warmUp[it].error == null }
    if (readable.isEmpty()) {
        throw InputException(
            "photos",
            expected = "a photo that can be read",
            found = warmUp.firstOrNull()?.error ?: "no photo",
        )
    }
    val passes = List(repetitions) { pass ->
        readable.map { pipeline.run(photos[it]).stages }.also { progress(pass + 1) }
    }
    return Timings(
        failed = photos.size - readable.size,
        photos = readable.indices.map { photo -> medians(passes.map { it[photo] }) },
        first = readable.map(warmUp::get).let { read -> read.firstOrNull { it.faces.isNotEmpty() } ?: read.first() },
        noise = noise(passes.map { pass -> pass.sumOf { it.getValue(Stage.TOTAL) } }),
    )
}

private fun medians(repetitions: List<Map<Stage, Double>>): Map<Stage, Double> =
    repetitions.first().keys.associateWith { stage -> percentile(repetitions.map { it.getValue(stage) }, 50) }

/**
 * Difference of the mean total between the first and the second half of the passes, over their mean;
 * null for a single pass.  The middle one of an odd number is in neither half.
 */
fun noise(totals: List<Double>): Double? {
    val half = totals.size / 2
    if (half == 0) return null
    val first = totals.take(half).average()
    val second = totals.takeLast(half).average()
    return abs(first - second) / ((first + second) / 2)
}
