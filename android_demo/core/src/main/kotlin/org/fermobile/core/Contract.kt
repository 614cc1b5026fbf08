package org.fermobile.core

import java.nio.ByteBuffer

/**
 * What a model file needs to be used properly; it travels inside the `.tflite`
 * (`docs/contract.md` says what each field means).
 *
 * @property precision `float32`, `float16`, `dynamic` or `int8`.
 * @property crop maps a detector's box to the framing of the training faces.
 * @property levelling which faces are turned until their eyes are level; null where none is.
 * @property normalisation what the input's values stand for.
 * @property logits whether the outputs are logits, which become probabilities by a softmax.
 * @property labels a different one for every output, in its order.
 * @property emoji of those labels that the contract gives one.
 * @property figures what was measured of the model.
 * @property accelerators how the file behaves on kinds of processor.
 * @property modelSha256 of the bytes before the appended archive, hex.
 * @property reference what the float model gives for each bundled reference face, in the order of [labels].
 */
data class Contract(
    val formatVersion: Int,
    val name: String,
    val architecture: String,
    val parameters: Long,
    val precision: String,
    val input: Tensor,
    val output: Tensor,
    val crop: CropRule,
    val levelling: Levelling? = null,
    val normalisation: Normalisation = Normalisation.UNIT,
    val logits: Boolean = false,
    val labels: List<String>,
    val emoji: Map<String, String> = emptyMap(),
    val figures: List<Figures>,
    val accelerators: List<AcceleratorVerdict> = emptyList(),
    val licence: String,
    val modelSha256: String,
    val reference: List<List<Float>> = emptyList(),
) {
    companion object {
        /** Of the contract format; files of a newer one are refused. */
        const val FORMAT_VERSION = 3

        /** What a contract may require of this reader. */
        val UNDERSTOOD = setOf("levelling", "normalisation", "softmax")

        /**
         * Reads a `.tflite` file's contract and checks it.
         *
         * @param content the whole file, from position 0 to the limit; left as it is.
         * @param name of the file, for messages.
         * @throws ContractException where it is no model, has no contract, or one that is newer than
         *   this reader, malformed, or contradicts the file.
         */
        @Throws(ContractException::class)
        fun read(content: ByteBuffer, name: String): ModelFile {
            val file = openModel(content, name)
            val contract = parseContract(file.contract, name, file.reference)
            if (file.labels != contract.labels) {
                throw ContractException(
                    name,
                    expected = "the labels of its contract in labels.txt",
                    found = file.labels.joinToString(),
                    hint = DAMAGED,
                )
            }
            if (file.modelSha256 != contract.modelSha256) {
                throw ContractException(
                    name,
                    expected = "a model with the checksum ${contract.modelSha256.take(12)}… of its contract",
                    found = "${file.modelSha256.take(12)}…",
                    hint = DAMAGED,
                )
            }
            return ModelFile(name, contract, file.sha256, content.limit().toLong())
        }

        internal const val DAMAGED = "The file was changed or damaged: export it again."
    }
}

/**
 * What was measured of a model.
 *
 * @property precision of the file or weights that were measured.
 * @property n faces.
 * @property recall by label, 0 to 1; null where the split has no such face.
 */
data class Figures(
    val precision: String,
    val protocol: String,
    val split: String,
    val n: Int,
    val accuracy: Double,
    val balancedAccuracy: Double,
    val recall: Map<String, Double?>,
)

/**
 * How a file behaves on one kind of processor.
 *
 * @property name `cpu`, `gpu` or `npu`.
 * @property verdict `as-reference`, `differs`, `unsupported` or `unknown`.
 * @property evidence what was run and what came out.
 */
data class AcceleratorVerdict(val name: String, val verdict: String, val evidence: String)

/**
 * A `.tflite` file whose contract was read and checked.
 *
 * @property name of the file.
 * @property sha256 of the whole file, hex.
 * @property bytes its size.
 */
data class ModelFile(val name: String, val contract: Contract, val sha256: String, val bytes: Long)

/** @throws ContractException where the contract contradicts the loaded graph. */
internal fun checkAgainstGraph(contract: Contract, model: TensorModel, name: String) {
    val output = model.outputs.singleOrNull() ?: throw ContractException(
        name, expected = "a graph with one output", found = "${model.outputs.size}",
    )
    for ((role, said, found) in listOf(
        Triple("input", contract.input, model.input),
        Triple("output", contract.output, output),
    )) {
        if (said.copy(name = "") != found.copy(name = "")) {
            throw ContractException(
                name,
                expected = "the contract's $role ${describe(said)}",
                found = "${describe(found)} in the graph",
            )
        }
    }
}

private fun describe(tensor: Tensor): String {
    val quantization = tensor.scale?.let { " (${it}, ${tensor.zeroPoint})" } ?: ""
    return "${tensor.type.key} ${tensor.shape}$quantization"
}
