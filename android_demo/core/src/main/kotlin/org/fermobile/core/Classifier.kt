package org.fermobile.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.exp
import kotlin.math.floor

/**
 * A model with its contract: gray faces in, probabilities out.  One object serves one thread.
 *
 * @throws ContractException where the contract contradicts the graph.
 */
class Classifier @Throws(ContractException::class) constructor(
    val file: ModelFile, private val model: TensorModel,
) : AutoCloseable by model {
    val contract: Contract get() = file.contract

    /** Height and width of the input in pixels. */
    val size: Int = contract.input.shape[1]

    /** The vocabulary, in the order of the output. */
    val labels: List<String> get() = contract.labels

    private val channels = contract.input.shape[3]
    private val normalisation = contract.normalisation
    private val quantized = quantizationTable(contract.input, normalisation)

    init {
        checkAgainstGraph(contract, model, file.name)
    }

    /** The probability of every label for a face of [size]×[size] gray pixels. */
    fun classify(face: GrayImage): FloatArray {
        val values = model.run(prepare(face)).values.single()
        val outputs = dequantize(values, contract.output)
        return if (contract.logits) softmax(outputs) else outputs
    }

    /** What the graph's input takes for a face of [size]×[size] gray pixels, in native byte order. */
    fun prepare(face: GrayImage): ByteBuffer {
        require(face.width == size && face.height == size) {
            "expected $size×$size pixels, got ${face.width}×${face.height}"
        }
        val type = contract.input.type
        val values = ByteBuffer.allocateDirect(size * size * channels * type.bytes).order(ByteOrder.nativeOrder())
        for (pixel in face.pixels) {
            val level = pixel.toInt() and 255
            repeat(channels) {
                if (type == TensorType.FLOAT32) values.putFloat(normalisation.float(level)) else values.put(quantized[level])
            }
        }
        values.seek()
        return values
    }
}

/** The quantized value of each of the 256 gray levels; the level itself where the input is raw pixels. */
private fun quantizationTable(input: Tensor, normalisation: Normalisation): ByteArray {
    val scale = input.scale ?: return ByteArray(256) { it.toByte() }
    val zeroPoint = input.zeroPoint ?: 0
    val limits = if (input.type == TensorType.INT8) -128..127 else 0..255
    return ByteArray(256) {
        val value = floor(normalisation.real(it) / scale + 0.5) + zeroPoint
        value.coerceIn(limits.first.toDouble(), limits.last.toDouble()).toInt().toByte()
    }
}

/** Probabilities of logits. */
private fun softmax(logits: FloatArray): FloatArray {
    val largest = logits.max().toDouble()
    val exponents = logits.map { exp(it - largest) }
    val sum = exponents.sum()
    return FloatArray(logits.size) { (exponents[it] / sum).toFloat() }
}

private fun dequantize(values: ByteBuffer, output: Tensor): FloatArray {
    val count = output.shape.last()
    if (output.type == TensorType.FLOAT32) return FloatArray(count) { values.getFloat(4 * it) }
    return FloatArray(count) {
        val value = if (output.type == TensorType.INT8) values[it].toInt() else values[it].toInt() and 255
        (value - (output.zeroPoint ?: 0)) * (output.scale ?: 1f)
    }
}
