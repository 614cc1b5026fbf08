package org.fermobile.fer

import org.fermobile.core.Tensor
import org.fermobile.core.TensorModel
import org.fermobile.core.TensorType
import org.fermobile.core.seek
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Tensor as LiteRtTensor

/**
 * A `.tflite` file in TensorFlow Lite's interpreter.  No Android class is used, so that the tests of
 * the core run it too.
 *
 * @param content the whole file, direct or mapped; it has to stay as it is.
 * @param delegate computes in the interpreter's place what it can; it is closed with the model.
 * @throws IllegalArgumentException where the runtime cannot load it.
 */
class LiteRtModel(
    content: ByteBuffer, threads: Int = 1, xnnpack: Boolean = true, private val delegate: Delegate? = null,
) : TensorModel {
    private val interpreter = try {
        val options = Interpreter.Options().setNumThreads(threads).setUseXNNPACK(xnnpack)
        Interpreter(content, delegate?.let(options::addDelegate) ?: options)
    } catch (error: Throwable) {
        delegate?.close()
        throw error
    }
    private val names = outputNames(interpreter)

    override val input: Tensor = describe(interpreter.getInputTensor(0), interpreter.getInputTensor(0).name())
    override val outputs: List<Tensor> =
        names.mapIndexed { index, name -> describe(interpreter.getOutputTensor(index), name) }

    private var shape = input.shape

    override fun run(values: ByteBuffer, shape: List<Int>): Map<String, ByteBuffer> {
        if (shape != this.shape) {
            interpreter.resizeInput(0, shape.toIntArray())
            interpreter.allocateTensors()
            this.shape = shape
        }
        val outputs = names.indices.associateWith {
            ByteBuffer.allocateDirect(interpreter.getOutputTensor(it).numBytes()).order(ByteOrder.nativeOrder())
        }
        interpreter.runForMultipleInputsOutputs(arrayOf(values), outputs)
        return names.withIndex().associate { (index, name) ->
            name to outputs.getValue(index).seek()
        }
    }

    override fun close() {
        interpreter.close()
        delegate?.close()
    }
}

/** The names that the signature gives the graph's outputs; their own where there is no signature. */
private fun outputNames(interpreter: Interpreter): List<String> {
    val signature = interpreter.signatureKeys.firstOrNull()
    val named = signature?.let { key ->
        interpreter.getSignatureOutputs(key)
            .associateBy { interpreter.getOutputTensorFromSignature(it, key).index() }
    }.orEmpty()
    return List(interpreter.outputTensorCount) {
        val tensor = interpreter.getOutputTensor(it)
        named[tensor.index()] ?: tensor.name()
    }
}

private fun describe(tensor: LiteRtTensor, name: String): Tensor {
    val quantization = tensor.quantizationParams()
    val quantized = quantization.scale != 0f
    return Tensor(
        name = name,
        shape = tensor.shape().toList(),
        type = when (tensor.dataType()) {
            DataType.FLOAT32 -> TensorType.FLOAT32
            DataType.INT8 -> TensorType.INT8
            DataType.UINT8 -> TensorType.UINT8
            else -> throw IllegalArgumentException("a tensor of type ${tensor.dataType()}")
        },
        scale = if (quantized) quantization.scale else null,
        zeroPoint = if (quantized) quantization.zeroPoint else null,
    )
}
