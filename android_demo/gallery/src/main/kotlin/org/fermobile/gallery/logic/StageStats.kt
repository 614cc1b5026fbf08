package org.fermobile.gallery.logic

import org.fermobile.core.Stage
import kotlin.math.floor
import kotlin.math.min
import kotlin.math.sqrt

/**
 * One stage over the photos that went through it, as `fer_mobile/bench/stats.py`.  Times in
 * milliseconds; [std] is the sample standard deviation, 0 for one photo; percentiles are
 * interpolated linearly between neighbours.
 *
 * @property n photos that went through the stage.
 * @property share the stage's time in all photos over that of [Stage.TOTAL] (of all stages where it
 *   is missing), 0 to 1.
 */
data class StageStats(
    val n: Int,
    val mean: Double,
    val std: Double,
    val p50: Double,
    val p90: Double,
    val p99: Double,
    val share: Double,
)

/** Mean and standard deviation in milliseconds of the Affective app over 25 photos (thesis, table 8). */
val TABLE_8: Map<Stage, Pair<Double, Double>> = mapOf(
    Stage.DECODE to (57.88 to 140.5),
    Stage.DETECT to (1601.56 to 3846.5),
    Stage.RESIZE to (1.5 to 2.7),
    Stage.GRAY to (126.8 to 33.5),
    Stage.CLASSIFY to (384.1 to 315.35),
    Stage.TOTAL to (2171.9 to 4338.6),
)

/** The phone that [TABLE_8] was measured on. */
const val TABLE_8_PHONE = "Samsung Galaxy J3, Exynos 7570"

/**
 * Statistics of every stage that occurs, in the order of [Stage].  A stage that a photo did not
 * reach is absent from its row and does not count.
 */
fun stageStats(rows: List<Map<Stage, Double>>): Map<Stage, StageStats> {
    val whole = rows.sumOf { it[Stage.TOTAL] ?: it.values.sum() }
    return Stage.entries.associateWith { stage -> rows.mapNotNull { it[stage] } }
        .filterValues { it.isNotEmpty() }
        .mapValues { (_, times) ->
            val mean = times.average()
            StageStats(
                n = times.size,
                mean = mean,
                std = if (times.size > 1) sqrt(times.sumOf { (it - mean) * (it - mean) } / (times.size - 1)) else 0.0,
                p50 = percentile(times, 50),
                p90 = percentile(times, 90),
                p99 = percentile(times, 99),
                share = if (whole > 0) min(1.0, times.sum() / whole) else 0.0,
            )
        }
}

/** A percentile (0 to 100) of at least one value, interpolated linearly between neighbours. */
fun percentile(values: List<Double>, percent: Int): Double {
    val sorted = values.sorted()
    val place = (sorted.size - 1) * percent / 100.0
    val below = floor(place).toInt()
    val above = min(below + 1, sorted.size - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (place - below)
}
