package org.fermobile.fer

import org.fermobile.core.Classifier
import org.fermobile.core.Contract
import org.fermobile.core.ContractException
import org.fermobile.core.GrayImage
import org.fermobile.core.InterpreterException
import org.fermobile.core.ModelFile
import org.fermobile.core.Preprocess
import org.fermobile.core.TensorModel
import org.fermobile.core.YuNet
import org.fermobile.core.sha256
import java.nio.ByteBuffer
import kotlin.math.abs

/**
 * A classifier and what it runs on.
 *
 * @property accelerator its [Accelerator.name].
 * @property fallback why that is not the accelerator that was asked for; null if it is.
 */
class LoadedClassifier(val classifier: Classifier, val accelerator: String, val fallback: String?)

/**
 * A classifier of a `.tflite` file.  Where [accelerator] gives other outputs by the file's contract, or
 * cannot run it, the CPU does.
 *
 * @param content the whole file, direct or mapped; it has to stay as it is.
 * @param name of the file, for messages.
 * @throws ContractException where the file cannot be used.
 * @throws InterpreterException where no file can.
 */
@Throws(ContractException::class, InterpreterException::class)
fun openClassifier(
    content: ByteBuffer, name: String, accelerator: Accelerator = Cpu(), threads: Int = 1,
): LoadedClassifier {
    val file = Contract.read(content, name)
    val cpu = Cpu()
    var fallback = objection(file, accelerator)
    if (fallback == null) {
        try {
            return LoadedClassifier(tried(file, content, accelerator, threads), accelerator.name, null)
        } catch (error: ContractException) {
            if (accelerator.name == cpu.name) throw error
            fallback = error.message
        } catch (error: InterpreterException) {
            if (accelerator.name == cpu.name) throw error
            fallback = error.message
        }
    }
    return LoadedClassifier(classifier(file, content, cpu, threads), cpu.name, fallback)
}

/**
 * The face detector of a `.tflite` file, on the CPU: its input changes its size from photo to photo.
 *
 * @throws ContractException where the file cannot be used.
 * @throws InterpreterException where no file can.
 */
@Throws(ContractException::class, InterpreterException::class)
fun openYuNet(content: ByteBuffer, accelerator: Accelerator = Cpu(), threads: Int = 1): YuNet =
    YuNet(interpreter(content, "face detector", accelerator, threads), sha256(content))

/**
 * Shows the classifier a face.
 *
 * @throws ContractException where its graph does not run, or gives no probabilities.
 */
@Throws(ContractException::class, InterpreterException::class)
fun Classifier.tryOut() {
    val sum = running(file.name) {
        classify(GrayImage(size, size, ByteArray(size * size) { it.toByte() })).sum()
    }
    if (!(abs(sum - 1) < MOST_OFF)) {
        throw ContractException(file.name, expected = "probabilities that sum to 1", found = "a sum of $sum")
    }
}

/**
 * Shows the classifier the first of the bundled reference faces; what the float model gives for them is
 * in its file.  A file without them passes.
 *
 * @throws ContractException where its graph gives more than one in ten another label.
 */
@Throws(ContractException::class, InterpreterException::class)
fun Classifier.tryOut(faces: List<GrayImage>) {
    val pairs = faces.zip(contract.reference)
    val same = running(file.name) {
        pairs.count { (face, expected) ->
            val found = classify(Preprocess.resize(face, size))
            found.indices.maxBy { found[it] } == expected.indices.maxBy { expected[it] }
        }
    }
    if (pairs.size - same > pairs.size / 10) {
        throw ContractException(
            file.name, expected = "the labels of its float model for ${pairs.size} faces", found = "$same of them",
            hint = "The file was changed, or this phone computes it wrongly.",
        )
    }
}

/** Rounding of an int8 output: half a level for each of eight labels, and more. */
private const val MOST_OFF = 0.05f

private val USABLE = setOf("as-reference", "unknown")

/** Why the file's contract forbids an accelerator; null where it does not. */
private fun objection(file: ModelFile, accelerator: Accelerator): String? {
    val verdict = file.contract.accelerators.firstOrNull { it.name == accelerator.name } ?: return null
    if (verdict.verdict in USABLE) return null
    val processor = accelerator.name.uppercase()
    return "${file.name}: its contract's verdict on the $processor is \"${verdict.verdict}\". ${verdict.evidence}".trim()
}

/** A classifier that has run once, if it is not the CPU's: a delegate may fail as late as that. */
private fun tried(file: ModelFile, content: ByteBuffer, accelerator: Accelerator, threads: Int): Classifier {
    val classifier = classifier(file, content, accelerator, threads)
    if (accelerator.name == Cpu().name) return classifier
    return try {
        classifier.apply { tryOut() }
    } catch (error: ContractException) {
        classifier.close()
        throw error
    }
}

private fun classifier(file: ModelFile, content: ByteBuffer, accelerator: Accelerator, threads: Int): Classifier {
    val model = interpreter(content, file.name, accelerator, threads)
    return try {
        Classifier(file, model)
    } catch (error: ContractException) {
        model.close()
        throw error
    }
}

private fun interpreter(content: ByteBuffer, name: String, accelerator: Accelerator, threads: Int): TensorModel =
    running(name) { accelerator.open(content, threads) }

private inline fun <T> running(name: String, work: () -> T): T = try {
    work()
} catch (error: LinkageError) { // a symbol is missing, or there is no library for the processor
    throw InterpreterException(
        "TensorFlow Lite", expected = "a library that this phone can load", found = lines(error, 2), cause = error,
    )
} catch (error: IllegalArgumentException) { // no model, or operations that are newer
    throw cannotRun(name, error)
} catch (error: IllegalStateException) { // a graph that does not fit together
    throw cannotRun(name, error)
} catch (error: UnsupportedOperationException) { // of a delegate
    throw cannotRun(name, error)
}

private fun cannotRun(name: String, error: Exception) = ContractException(
    name, expected = "a model that this runtime can run", found = lines(error, 1), cause = error,
)

private fun lines(error: Throwable, most: Int) =
    reasonOf(error).lines().map(String::trim).filter(String::isNotEmpty).take(most).joinToString(" ")
