package org.fermobile.gallery.benchmark

import android.content.Intent
import org.fermobile.core.InputException
import org.fermobile.gallery.engine.EngineSettings
import org.fermobile.gallery.logic.BenchmarkSettings

/**
 * A benchmark to run.
 *
 * @property model key of a model; null for the one in use.
 * @property out name of the result file.
 */
data class BenchmarkRequest(
    val model: String?,
    val settings: BenchmarkSettings,
    val out: String,
)

/** Extras of the intent that starts a benchmark. */
object BenchmarkExtras {
    /** Text: the model's name as in its contract; the one in use where it is absent. */
    const val MODEL = "model"

    /** Whole number: timed passes over the photos. */
    const val REPETITIONS = "repetitions"

    /** Whole number: threads of detector and classifier. */
    const val THREADS = "threads"

    /** Seconds (float) that nine photos in ten may take. */
    const val BUDGET = "budget"

    /** Text: name of the result file, without a folder; it ends in `.json`. */
    const val OUT = "out"
}

const val DEFAULT_REPETITIONS = 10
const val DEFAULT_BUDGET = 0.5
private const val MOST_REPETITIONS = 1000
private val FILE_NAME = Regex("[A-Za-z0-9_][A-Za-z0-9_.-]{0,90}\\.json")

/** The name of the result file in an intent, null where it has none; so an error can be told there. */
fun outOf(intent: Intent): String? {
    val name = intent.getStringExtra(BenchmarkExtras.OUT) ?: return null
    if (!FILE_NAME.matches(name)) {
        throw InputException(BenchmarkExtras.OUT, expected = "a file name ending in .json", found = "'$name'")
    }
    return name
}

/** How an intent wants the benchmark done. @throws InputException for a number that is out of range. */
fun settingsOf(intent: Intent, engine: EngineSettings): BenchmarkSettings {
    val repetitions = intent.getIntExtra(BenchmarkExtras.REPETITIONS, DEFAULT_REPETITIONS)
    val threads = intent.getIntExtra(BenchmarkExtras.THREADS, engine.threads)
    // As text, so that 0.3f is 0.3.
    val budget = if (intent.hasExtra(BenchmarkExtras.BUDGET)) {
        intent.getFloatExtra(BenchmarkExtras.BUDGET, Float.NaN).toString().toDouble()
    } else {
        DEFAULT_BUDGET
    }
    inRange(BenchmarkExtras.REPETITIONS, repetitions, 1..MOST_REPETITIONS)
    inRange(BenchmarkExtras.THREADS, threads, 1..EngineSettings.MOST_THREADS)
    if (!(budget > 0 && budget.isFinite())) {
        throw InputException(BenchmarkExtras.BUDGET, expected = "seconds above 0", found = "$budget")
    }
    return BenchmarkSettings(threads, repetitions, budget, engine.xnnpack, engine.orient)
}

private fun inRange(name: String, value: Int, range: IntRange) {
    if (value !in range) {
        throw InputException(name, expected = "${range.first} to ${range.last}", found = "$value")
    }
}
