import android.content.Context
import android.graphics.Bitmap
import android.graphics.Rect
import org.tensorflow.lite.Interpreter
import java.io.Closeable
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import kotlin.math.abs
import kotlin.math.max
import kotlin.math.min
import kotlin.math.roundToInt

/** The file's `labels`, in the order of its output; `fer-mobile android snippet kotlin --model FILE` fills them in. */
val LABELS = listOf("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")

/**
 * Expressions of faces, by an int8 file of fer-mobile in the app's assets. One object serves one thread.
 *
 * The weights that fer-mobile ships are for research and evaluation.
 *
 * @throws IllegalArgumentException for a file that this code is not for.
 */
class ExpressionClassifier(context: Context, model: String) : Closeable {
    private val interpreter = Interpreter(map(context, model), Interpreter.Options().setNumThreads(2))
    private val size = interpreter.getInputTensor(0).shape().getOrElse(1) { 0 }
    private val quantization = interpreter.getOutputTensor(0).quantizationParams()
    private val input = ByteBuffer.allocateDirect(size * size).order(ByteOrder.nativeOrder())
    private val output = ByteBuffer.allocateDirect(LABELS.size)

    init {
        val image = interpreter.getInputTensor(0)
        val probabilities = interpreter.getOutputTensor(0)
        val expected = "INT8 [1, $size, $size, 1] with zero point -128 to INT8 [1, ${LABELS.size}]"
        val found = "${image.dataType()} ${image.shape().asList()} with zero point ${image.quantizationParams().zeroPoint} " +
            "to ${probabilities.dataType()} ${probabilities.shape().asList()}"
        if (found != expected) {
            interpreter.close()
            throw IllegalArgumentException(
                "$model: expected $expected, found $found. Take the code of: fer-mobile android snippet kotlin --model FILE",
            )
        }
    }

    /** The probability of each label for a face of an upright photo, which is no hardware bitmap. */
    fun classify(photo: Bitmap, face: Rect): Map<String, Float> {
        // The square that the model was trained on: `preprocessing.crop` of the contract.
        val side = max(1, (0.9 * face.height()).roundToInt())
        val left = (face.exactCenterX() - side / 2.0).roundToInt()
        val top = (face.exactCenterY() + 0.03 * face.height() - side / 2.0).roundToInt()
        val gray = gray(photo, left, top, side)
        input.rewind()
        // byte = gray - 128; the gray level itself as the byte costs 34 points of accuracy.
        for (level in resizeRows(resizeRows(gray, side), side)) input.put((level - 128).toByte())
        input.rewind()
        output.rewind()
        interpreter.run(input, output)
        return LABELS.withIndex().associate { (index, label) ->
            label to (output[index] - quantization.zeroPoint) * quantization.scale
        }
    }

    /** Gray levels (ITU-R BT.601) of a square; beyond the photo its edge is repeated. */
    private fun gray(photo: Bitmap, left: Int, top: Int, side: Int): IntArray {
        val row = IntArray(photo.width)
        val gray = IntArray(side * side)
        for (y in 0 until side) {
            photo.getPixels(row, 0, photo.width, 0, (top + y).coerceIn(0, photo.height - 1), photo.width, 1)
            for (x in 0 until side) {
                val pixel = row[(left + x).coerceIn(0, photo.width - 1)]
                val red = pixel shr 16 and 255
                val green = pixel shr 8 and 255
                val blue = pixel and 255
                gray[y * side + x] = (19595 * red + 38470 * green + 7471 * blue + 32768) shr 16
            }
        }
        return gray
    }

    /** Rows of [width] levels at the model's size, transposed: done twice, it resizes an image. */
    private fun resizeRows(levels: IntArray, width: Int): IntArray {
        val height = levels.size / width
        val ratio = width.toDouble() / size
        val reach = max(ratio, 1.0) // a triangle filter, widened when it reduces: no aliasing
        val resized = IntArray(size * height)
        for (x in 0 until size) {
            val centre = (x + 0.5) * ratio
            val first = max(0, (centre - reach + 0.5).toInt())
            val last = min(width, (centre + reach + 0.5).toInt())
            val weights = DoubleArray(last - first) { max(0.0, 1 - abs(first + it - centre + 0.5) / reach) }
            val sum = weights.sum()
            for (y in 0 until height) {
                val mean = weights.indices.sumOf { weights[it] * levels[y * width + first + it] } / sum
                resized[x * height + y] = mean.roundToInt()
            }
        }
        return resized
    }

    override fun close() = interpreter.close()

    private fun map(context: Context, model: String): ByteBuffer = context.assets.openFd(model).use { file ->
        val channel = file.createInputStream().channel
        channel.use { it.map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength) }
    }
}
