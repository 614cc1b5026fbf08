package org.fermobile.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.exp
import kotlin.math.max
import kotlin.math.min

/**
 * The shipped face detector; `fer_mobile/detect/yunet.py` describes the file's input and outputs
 * and the rules of decoding.  One object serves one thread.
 *
 * @property identity checksum (SHA-256, hex) of the detector's file.
 */
class YuNet(
    private val model: TensorModel,
    override val identity: String,
    private val score: Float = SCORE,
) : FaceDetector {
    private var values = ByteBuffer.allocateDirect(0)
    private var lastHints: () -> List<Detection> = { emptyList() }

    /** Shrink the image to [DETECTION_SIDE] before. */
    override fun detect(image: ArgbImage): List<Detection> {
        val width = padded(image.width)
        val height = padded(image.height)
        val outputs = model.run(pad(image, width, height), listOf(1, height, width, 3))
        lastHints = { decode(outputs, width, height, HINT, HINTS) }
        return decode(outputs, width, height, score)
    }

    override fun hints(): List<Detection> = lastHints()

    /** RGB bytes of the image, with zeros at the right and the bottom. */
    private fun pad(image: ArgbImage, width: Int, height: Int): ByteBuffer {
        val size = width * height * 3
        // Direct memory comes back late, and a gallery's photos are mostly of one size.
        if (values.capacity() != size) values = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder())
        values.seek()
        val line = ByteArray(width * 3)
        for (row in 0 until image.height) {
            for (column in 0 until image.width) {
                val pixel = image.pixels[row * image.width + column]
                line[3 * column] = (pixel shr 16).toByte()
                line[3 * column + 1] = (pixel shr 8).toByte()
                line[3 * column + 2] = pixel.toByte()
            }
            values.put(line)
        }
        line.fill(0)
        while (values.hasRemaining()) values.put(line)
        values.seek()
        return values
    }

    override fun close() = model.close()

    companion object {
        /** Longest side, in pixels, of the image that the detector is shown. */
        const val DETECTION_SIDE = 640

        /** Least score of a face. */
        const val SCORE = 0.6f

        /** Least score of a hint, and the most hints in an image. */
        const val HINT = 0.1f
        const val HINTS = 2

        /** Largest intersection over union of two faces. */
        const val OVERLAP = 0.3

        /** Strides of the output cells in pixels. */
        val STRIDES = listOf(8, 16, 32)

        private const val MULTIPLE = 32
        private const val OFFSETS = 14

        /** The [most] surest faces in the outputs for an input of [width]×[height], the surest first. */
        fun decode(
            outputs: Map<String, ByteBuffer>, width: Int, height: Int, score: Float = SCORE, most: Int = Int.MAX_VALUE,
        ): List<Detection> {
            val candidates = STRIDES.flatMap { stride ->
                candidates(
                    outputs.getValue("scores_$stride"), outputs.getValue("offsets_$stride"),
                    stride, width / stride, height / stride, score,
                )
            }
            val kept = mutableListOf<Detection>()
            for (candidate in candidates.sortedByDescending { it.score }) { // stable
                if (kept.size == most) break
                if (kept.all { overlap(candidate.box, it.box) <= OVERLAP }) kept += candidate
            }
            return kept
        }

        /** Intersection over union of two boxes, 0 to 1. */
        fun overlap(one: Box, other: Box): Double {
            val width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            val height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            if (width <= 0 || height <= 0) return 0.0
            val common = width * height
            return common / (one.width * one.height + other.width * other.height - common)
        }

        private fun candidates(
            scores: ByteBuffer, offsets: ByteBuffer, stride: Int, columns: Int, rows: Int, score: Float,
        ): List<Detection> {
            val found = mutableListOf<Detection>()
            for (cell in 0 until rows * columns) {
                val sure = scores.getFloat(4 * cell)
                if (!(sure >= score)) continue
                fun offset(index: Int): Float = offsets.getFloat(4 * (cell * OFFSETS + index))
                fun point(index: Int) = Point(
                    (cell % columns + offset(index).toDouble()) * stride,
                    (cell / columns + offset(index + 1).toDouble()) * stride,
                )
                val centre = point(0)
                val width = exp(offset(2)) * stride
                val height = exp(offset(3)) * stride
                val box = Box(centre.x - width / 2, centre.y - height / 2, width.toDouble(), height.toDouble())
                found += Detection(box, sure, (4 until OFFSETS step 2).map(::point))
            }
            return found
        }

        private fun padded(side: Int): Int = (side + MULTIPLE - 1) / MULTIPLE * MULTIPLE
    }
}
