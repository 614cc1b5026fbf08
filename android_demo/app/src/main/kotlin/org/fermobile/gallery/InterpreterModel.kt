package org.fermobile.gallery

import org.fermobile.core.ContractException
import org.fermobile.core.Tensor
import org.fermobile.core.TensorModel
import org.fermobile.core.TensorType
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Tensor as GraphTensor

/**
 * A TensorFlow Lite interpreter as the core sees it.
 *
 * @param content a whole `.tflite` file, direct or mapped; not to be changed while this is open.
 * @param name of the file, for messages.
 * @throws ContractException where the runtime cannot run the file.
 */
class InterpreterModel(
    content: ByteBuffer,
    private val name: String,
    threads: Int = 1,
    xnnpack: Boolean = true,
) : TensorModel {
    private val interpreter = refusing {
        Interpreter(content, Interpreter.Options().setNumThreads(threads).setUseXNNPACK(xnnpack))
    }
    private val signature = interpreter.signatureKeys.singleOrNull() ?: refuse("no signature of its inputs and outputs")

    override val input: Tensor = describe(interpreter.getInputTensor(0), interpreter.getSignatureInputs(signature).first())
    override val outputs: List<Tensor>

    private var shape = input.shape
    private var results: Map<String, ByteBuffer>

    init {
        refusing { interpreter.allocateTensors() }
        val names = interpreter.getSignatureOutputs(signature)
            .associateBy { interpreter.getOutputTensorFromSignature(it, signature).index() }
        outputs = List(interpreter.outputTensorCount) {
            val tensor = interpreter.getOutputTensor(it)
            describe(tensor, names.getValue(tensor.index()))
        }
        results = buffers()
    }

    override fun run(values: ByteBuffer, shape: List<Int>): Map<String, ByteBuffer> {
        refusing {
            if (shape != this.shape) {
                interpreter.resizeInput(0, shape.toIntArray())
                interpreter.allocateTensors()
                this.shape = shape
                results = buffers()
            }
            results.values.forEach(ByteBuffer::clear)
            val byIndex = outputs.indices.associateWith { results.getValue(outputs[it].name) }
            interpreter.runForMultipleInputsOutputs(arrayOf(values), byIndex)
        }
        results.values.forEach(ByteBuffer::rewind)
        return results
    }

    override fun close() = interpreter.close()

    private fun buffers() = outputs.withIndex().associate { (index, tensor) ->
        val bytes = interpreter.getOutputTensor(index).numBytes()
        tensor.name to ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
    }

    private fun describe(tensor: GraphTensor, name: String): Tensor {
        val type = when (tensor.dataType()) {
            DataType.FLOAT32 -> TensorType.FLOAT32
            DataType.INT8 -> TensorType.INT8
            DataType.UINT8 -> TensorType.UINT8
            else -> refuse("${tensor.dataType()} as the type of $name")
        }
        val scale = tensor.quantizationParams().scale.takeIf { type != TensorType.FLOAT32 && it > 0 }
        return Tensor(
            name = name,
            shape = listOf(1) + tensor.shape().drop(1),
            type = type,
            scale = scale,
            zeroPoint = scale?.let { tensor.quantizationParams().zeroPoint },
        )
    }

    /** The runtime says what it cannot do by these two. */
    private inline fun <T> refusing(block: () -> T): T = try {
        block()
    } catch (error: IllegalArgumentException) {
        refuse(error.message.orEmpty(), error)
    } catch (error: IllegalStateException) {
        refuse(error.message.orEmpty(), error)
    }

    private fun refuse(found: String, cause: Exception? = null): Nothing = throw ContractException(
        name,
        expected = "a model that TensorFlow Lite can run",
        found = found.lines().first(),
        cause = cause,
    )
}
