import android.content.Context
import android.net.Uri
import org.fermobile.fer.Fer

/** The expression of a photo, and how sure the model is of it. */
suspend fun expressionOf(context: Context, photo: Uri): String? =
    Fer.create(context, "compact").use { fer ->
        val result = fer.analyse(photo)
        result.error ?: result.label?.let { "$it ${result.confidence}" } // null: no face
    }
