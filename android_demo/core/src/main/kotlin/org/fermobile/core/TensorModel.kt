package org.fermobile.core

import java.nio.ByteBuffer

/** Type of a tensor's elements, by its name in a contract. */
enum class TensorType(val key: String, val bytes: Int) {
    FLOAT32("float32", 4),
    INT8("int8", 1),
    UINT8("uint8", 1),
}

/**
 * A model's input or output.
 *
 * @property shape for a batch of one.
 * @property scale real = (quantized − [zeroPoint]) · scale; null where values are real.
 */
data class Tensor(
    val name: String,
    val shape: List<Int>,
    val type: TensorType,
    val scale: Float? = null,
    val zeroPoint: Int? = null,
)

/**
 * A loaded network with one input: the core's view of an interpreter, of which it knows no class.
 * One object serves one thread at a time.
 */
interface TensorModel : AutoCloseable {
    /** As the graph has it; its name may differ from the contract's. */
    val input: Tensor

    /** In the graph's order, named by its signature. */
    val outputs: List<Tensor>

    /**
     * Runs the network once.
     *
     * @param values of the input in native byte order, from position to limit.
     * @param shape of [values]; the input tensor is resized where it has another one.
     * @return values of every output by its name, in native byte order, position 0 and limit at
     *   the end; valid until the next run.
     */
    fun run(values: ByteBuffer, shape: List<Int> = input.shape): Map<String, ByteBuffer>
}
