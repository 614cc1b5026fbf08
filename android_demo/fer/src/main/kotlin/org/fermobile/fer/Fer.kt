package org.fermobile.fer

import android.content.ContentResolver
import android.content.Context
import android.content.res.AssetManager
import android.graphics.Bitmap
import android.net.Uri
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.fermobile.core.Box
import org.fermobile.core.ContractException
import org.fermobile.core.DecodedPhoto
import org.fermobile.core.Detection
import org.fermobile.core.Face
import org.fermobile.core.FaceDetector
import org.fermobile.core.InputException
import org.fermobile.core.InterpreterException
import org.fermobile.core.ModelFile
import org.fermobile.core.Photo
import org.fermobile.core.PhotoResult
import org.fermobile.core.PhotoSource
import org.fermobile.core.Pipeline
import org.fermobile.core.Point
import org.fermobile.core.boxOf
import java.io.Closeable
import java.io.IOException
import java.nio.ByteBuffer

/**
 * How a [Fer] is made.
 *
 * @property threads of detector and classifier.
 * @property accelerator what computes the classifier.
 * @property detector null for YuNet; it is closed together with the [Fer].
 * @property orient whether photos that lie on a side or upside down are turned.
 */
class FerOptions @JvmOverloads constructor(
    val threads: Int = 2,
    val accelerator: Accelerator = Cpu(),
    val detector: FaceDetector? = null,
    val orient: Boolean = true,
)

/**
 * The expressions of the faces in photos.
 *
 * Any thread may call it; calls wait for each other.  One that is cancelled ends before its next stage.
 * What the phone has no library for, or a file that cannot be used, is found out when it is made.
 *
 * @property fallback why [accelerator] is not the one that was asked for; null if it is.
 */
class Fer(
    private val pipeline: Pipeline,
    private val photos: ContentResolver,
    val accelerator: String = "cpu",
    val fallback: String? = null,
) : Closeable {
    @OptIn(ExperimentalCoroutinesApi::class)
    private val dispatcher = Dispatchers.Default.limitedParallelism(1)

    @Volatile
    private var closed = false

    /** The model and its contract: labels, figures, licence. */
    val model: ModelFile get() = pipeline.classifier.file

    /** Changes whenever the answer for a photo may: stored results of another identity are stale. */
    val identity: String get() = pipeline.identity

    /** A photo by its address.  One that cannot be read gives a result with an error. */
    suspend fun analyse(photo: Uri): PhotoResult = analyse(photoSource(photos.bytesOf(photo)))

    /** An upright photo. */
    suspend fun analyse(photo: Bitmap): PhotoResult = analyse { Photo(imageOf(photo)) }

    /** A photo from anywhere. */
    suspend fun analyse(photo: PhotoSource): PhotoResult = alone {
        val context = currentCoroutineContext()
        pipeline.run(photo) { context.ensureActive() }
    }

    /** A photo that another thread has decoded: a run over many photos decodes one while another is analysed. */
    suspend fun analyse(photo: DecodedPhoto): PhotoResult = alone {
        val context = currentCoroutineContext()
        pipeline.run(photo) { context.ensureActive() }
    }

    /**
     * A face that you have found yourself, in pixels of an upright photo, all of which each call copies: 4 bytes
     * a pixel.
     *
     * @param box as YuNet draws it, from the forehead to the chin.
     * @param landmarks the person's right eye, which is on the left of a picture that is not mirrored, then
     *   the left eye, nose, right and left corner of the mouth; or none.  With them, the face is cut out as
     *   YuNet would have framed it, whatever the box, and levelled by the eyes.
     * @throws InputException where there are landmarks, but not five, or those of a mirrored face.
     */
    @Throws(InputException::class)
    suspend fun classify(photo: Bitmap, box: Box, landmarks: List<Point> = emptyList()): Face = alone {
        checkLandmarks(landmarks)
        val framed = if (landmarks.isEmpty()) box else boxOf(landmarks)
        pipeline.classify(Photo(imageOf(photo)), listOf(Detection(framed, 1f, landmarks))).single().copy(box = box)
    }

    /** [analyse] for Java; not on the main thread. */
    @Throws(InterruptedException::class)
    fun analyseBlocking(photo: Uri): PhotoResult = runBlocking { analyse(photo) }

    /** [analyse] for Java; not on the main thread. */
    @Throws(InterruptedException::class)
    fun analyseBlocking(photo: Bitmap): PhotoResult = runBlocking { analyse(photo) }

    /** [classify] for Java; not on the main thread. */
    @JvmOverloads
    @Throws(InterruptedException::class, InputException::class)
    fun classifyBlocking(photo: Bitmap, box: Box, landmarks: List<Point> = emptyList()): Face =
        runBlocking { classify(photo, box, landmarks) }

    /** Lets go of the models, once calls that came before are done; later ones throw IllegalStateException. */
    override fun close() {
        if (closed) return
        closed = true
        CoroutineScope(dispatcher).launch { pipeline.close() }
    }

    private suspend fun <T> alone(work: suspend () -> T): T = withContext(dispatcher) {
        check(!closed) { "this Fer is closed" }
        work()
    }

    companion object {
        /** The model that is used when none is named. */
        const val DEFAULT_MODEL = "xcao_two_stream_int8.tflite"

        /** Among the assets; the library brings it along. */
        const val DETECTOR = "detector/face_detection_yunet.tflite"

        /**
         * Loads a model of the app's assets; not on the main thread, as it takes longer than a photo does.
         *
         * @param model the file's name, with or without `.tflite`, or a shipped model's name, which stands for
         *   its int8 file; it lies in the assets or in their folder `models`.
         * @throws ContractException where it is not there, or cannot be used.
         * @throws InterpreterException where this phone has no library for any.
         */
        @JvmStatic
        @JvmOverloads
        @Throws(ContractException::class, InterpreterException::class)
        fun create(context: Context, model: String = DEFAULT_MODEL, options: FerOptions = FerOptions()): Fer {
            val name = model.removeSuffix(SUFFIX)
            val isFile = name != model || PRECISIONS.keys.any { name.endsWith("_$it") }
            val files = listOfNotNull("$name$SUFFIX", "${name}_int8$SUFFIX".takeUnless { isFile })
            for (path in files + files.map { "models/$it" }) {
                val content = mappedOrNull(context.assets, path) ?: continue
                return create(context, content, path.substringAfterLast('/'), options)
            }
            throw missing(name, files)
        }

        /**
         * Loads a model from anywhere; not on the main thread.
         *
         * @param model the whole file, direct or mapped; it has to stay as it is.
         * @param name of the file, for messages.
         * @throws ContractException where it cannot be used.
         * @throws InterpreterException where this phone has no library for any.
         */
        @JvmStatic
        @JvmOverloads
        @Throws(ContractException::class, InterpreterException::class)
        fun create(context: Context, model: ByteBuffer, name: String, options: FerOptions = FerOptions()): Fer {
            val loaded = openClassifier(model, name, options.accelerator, options.threads)
            val detector = options.detector ?: try {
                openYuNet(detectorOf(context.assets), threads = options.threads)
            } catch (error: InputException) {
                loaded.classifier.close()
                throw error
            }
            val pipeline = Pipeline(loaded.classifier, detector, orient = options.orient)
            return Fer(pipeline, context.contentResolver, loaded.accelerator, loaded.fallback)
        }

        private fun detectorOf(assets: AssetManager): ByteBuffer = mappedOrNull(assets, DETECTOR) ?: throw ContractException(
            DETECTOR, expected = "the library's face detector among the app's assets", found = "none",
        )

        private fun mappedOrNull(assets: AssetManager, path: String): ByteBuffer? = try {
            assets.mapped(path)
        } catch (_: IOException) {
            null
        }

        /** Names the files that were looked for, and what writes one. */
        private fun missing(model: String, files: List<String>): ContractException {
            val name = model.substringAfterLast('/')
            val (precision, option) = PRECISIONS.entries.firstOrNull { name.endsWith("_${it.key}") }?.toPair() ?: ("" to "")
            val command = "fer-mobile export ${name.removeSuffix("_$precision")}$option --out app/src/main/assets"
            return ContractException(
                "model $name", expected = "a file among the app's assets",
                found = "no ${files.joinToString(" or ")}, there or in models/", hint = "Put it there: $command",
            )
        }

        private const val SUFFIX = ".tflite"
    }
}

/** The ends of files' names, and the option of `fer-mobile export` that writes such a file. */
private val PRECISIONS = mapOf(
    "int8" to "",
    "dynamic" to " --quantize dynamic",
    "float16" to " --quantize float16",
    "float32" to " --quantize none",
)

/** The eyes of a mirrored face would have it levelled upside down. */
private fun checkLandmarks(landmarks: List<Point>) {
    if (landmarks.isEmpty()) return
    if (landmarks.size != LANDMARKS) {
        throw InputException("landmarks", expected = "$LANDMARKS points or none", found = "${landmarks.size}")
    }
    val (right, left) = landmarks
    val (eyes, mouth) = listOf(right to left, landmarks[3] to landmarks[4]).map { (one, other) ->
        Point((one.x + other.x) / 2, (one.y + other.y) / 2)
    }
    val turn = (left.x - right.x) * (mouth.y - eyes.y) - (left.y - right.y) * (mouth.x - eyes.x)
    if (!(turn >= 0)) { // not for NaN either
        throw InputException(
            "landmarks", expected = "the person's right eye first, on the left of a picture that is not mirrored",
            found = "a mirrored face", hint = "Right and left are the person's.",
        )
    }
}

private const val LANDMARKS = 5
