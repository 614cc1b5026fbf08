package org.fermobile.core

import kotlin.math.abs
import kotlin.math.floor
import kotlin.math.sqrt

/** What may lower the quality of a face; [key] is its name in results. */
enum class Flaw(val key: String) {
    TOO_SMALL("too small"),
    BLURRED("blurred"),
    TOO_DARK("too dark"),
    TOO_BRIGHT("too bright"),
    LOW_CONTRAST("low contrast"),
    STRETCHED("stretched"),
    TILTED("tilted"),
    HARDLY_A_FACE("hardly a face"),
}

/**
 * How well a photo shows a face, as `fer_mobile/quality.py` defines it; the vectors in
 * `tests/golden/` hold the two together.
 *
 * @property value 0 to 1.
 * @property flaw what is worst; null at 1.
 */
data class Quality(val value: Double, val flaw: Flaw?) {
    /** Where a measure is as bad as can be, and where it is harmless. */
    private class Limits(val worst: Double, val harmless: Double) {
        /** 0 at [worst] and beyond, 1 at [harmless] and beyond, linear between. */
        fun share(value: Double): Double = ((value - worst) / (harmless - worst)).coerceIn(0.0, 1.0)
    }

    companion object {
        /** Of the definition. */
        const val VERSION = 1

        /** Height and width, in pixels, of the square that sharpness and light are measured in. */
        const val SIDE = 56

        private const val CLIPPED = 250
        private const val DARK = 96

        private val SIZE = Limits(10.0, 32.0)
        private val SHARPNESS = Limits(0.02, 0.08)
        private val CONTRAST = Limits(3.0, 10.0)
        private val OVEREXPOSED = Limits(0.9, 0.5)
        private val NARROW = Limits(0.45, 0.62)
        private val WIDE = Limits(1.25, 0.95)
        private val TILT = Limits(50.0, 15.0)
        private val SCORE = Limits(0.4, 0.8)

        /** Whether a face is too poor to be labelled; one whose [quality] is unknown is not. */
        fun isPoor(quality: Double?, minQuality: Double): Boolean = quality != null && quality < minQuality

        /** The flaw of such a name in results; null for none. */
        fun flawOf(key: String?): Flaw? = Flaw.entries.firstOrNull { it.key == key }

        /**
         * The quality of a face.
         *
         * @param square the face as a model is given it, [SIDE]×[SIDE].
         * @param face in pixels of the photo at full resolution.
         * @param levelled whether [square] was turned until the eyes are level.
         */
        fun of(square: GrayImage, face: Detection, levelled: Boolean = false): Quality {
            require(square.width == SIDE && square.height == SIDE) { "expected $SIDE×$SIDE pixels" }
            val left = buildMap {
                put(Flaw.TOO_SMALL, SIZE.share(face.box.height))
                putAll(light(square.pixels))
                if (face.landmarks.isNotEmpty()) put(Flaw.STRETCHED, shape(face.box.width / face.box.height))
                if (!levelled) face.tilt?.let { put(Flaw.TILTED, TILT.share(abs(it))) }
                put(Flaw.HARDLY_A_FACE, SCORE.share(face.score.toDouble()))
            }
            val (flaw, least) = left.entries.minBy { it.value } // the first of equals
            val value = floor(least * 1e4 + 0.5) / 1e4
            return Quality(value, flaw.takeIf { value < 1 })
        }

        private fun shape(ratio: Double) = minOf(NARROW.share(ratio), WIDE.share(ratio))

        /** What contrast, overexposure and sharpness leave of a face. */
        private fun light(pixels: ByteArray): Map<Flaw, Double> {
            val gray = IntArray(pixels.size) { pixels[it].toInt() and 255 }
            val count = gray.size
            val total = gray.sumOf { it.toLong() }
            val deviation = sqrt((count * gray.sumOf { it.toLong() * it } - total * total).toDouble()) / count
            var edges = 0L
            for (row in 1 until SIDE - 1) {
                for (at in row * SIDE + 1 until row * SIDE + SIDE - 1) {
                    edges += abs(4 * gray[at] - gray[at - SIDE] - gray[at + SIDE] - gray[at - 1] - gray[at + 1])
                }
            }
            val sharpness = if (deviation > 0) edges.toDouble() / ((SIDE - 2) * (SIDE - 2)) / deviation else 0.0
            val dark = if (total < DARK * count) Flaw.TOO_DARK else Flaw.LOW_CONTRAST
            return mapOf(
                dark to CONTRAST.share(deviation),
                Flaw.TOO_BRIGHT to OVEREXPOSED.share(gray.count { it >= CLIPPED }.toDouble() / count),
                Flaw.BLURRED to SHARPNESS.share(sharpness),
            )
        }
    }
}
