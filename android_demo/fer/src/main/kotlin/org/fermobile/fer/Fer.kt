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
     * A face that you have found yourself, in pixels of an upright photo.
     *
     * @param box as YuNet draws it, from the forehead to the chin.
     * @param landmarks right eye, left eye, nose, right and left corner of the mouth.  With them, the face
     *   is cut out as YuNet would have framed it, whatever the box.
     */
    suspend fun classify(photo: Bitmap, box: Box, landmarks: List<Point> = emptyList()): Face = alone {
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
    @Throws(InterruptedException::class)
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
         * Loads a model of the app's assets.
         *
         * @param model a shipped model's name, or the file's name; it lies in the assets or in their folder `models`.
         * @throws ContractException where it cannot be used.
         * @throws InterpreterException where this phone has no library for any.
         */
        @JvmStatic
        @JvmOverloads
        fun create(context: Context, model: String = DEFAULT_MODEL, options: FerOptions = FerOptions()): Fer {
            val file = if (model.endsWith(SUFFIX)) model else "${model}_int8$SUFFIX"
            val name = file.substringAfterLast('/')
            val content = listOf(file, "models/$file").firstNotNullOfOrNull { mappedOrNull(context.assets, it) }
                ?: throw ContractException(
                    name, expected = "a model among the app's assets", found = "none of that name",
                    hint = "Put it there: fer-mobile export --out app/src/main/assets",
                )
            return create(context, content, name, options)
        }

        /**
         * Loads a model from anywhere.
         *
         * @param model the whole file, direct or mapped; it has to stay as it is.
         * @param name of the file, for messages.
         * @throws ContractException where it cannot be used.
         * @throws InterpreterException where this phone has no library for any.
         */
        @JvmStatic
        @JvmOverloads
        fun create(context: Context, model: ByteBuffer, name: String, options: FerOptions = FerOptions()): Fer {
            val loaded = openClassifier(model, name, options.accelerator, options.threads)
            val detector = options.detector ?: try {
                openYuNet(context.assets.mapped(DETECTOR), threads = options.threads)
            } catch (error: ContractException) {
                loaded.classifier.close()
                throw error
            }
            val pipeline = Pipeline(loaded.classifier, detector, orient = options.orient)
            return Fer(pipeline, context.contentResolver, loaded.accelerator, loaded.fallback)
        }

        private fun mappedOrNull(assets: AssetManager, path: String): ByteBuffer? = try {
            assets.mapped(path)
        } catch (_: IOException) {
            null
        }

        private const val SUFFIX = ".tflite"
    }
}
