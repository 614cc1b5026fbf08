import android.app.Application
import android.net.Uri
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.launch
import org.fermobile.core.InputException
import org.fermobile.core.PhotoResult
import org.fermobile.fer.Fer

/** What a screen shows of a photo. */
sealed interface Expression {
    /** [label] is null where there is no face, and "multiple" where there are several. */
    data class Found(val label: String?, val confidence: Float?) : Expression

    /** The photo cannot be read, the model is missing or damaged, or this phone cannot run it. */
    data class Failed(val reason: String) : Expression
}

class ExpressionViewModel(application: Application) : AndroidViewModel(application) {
    private val photo = MutableStateFlow<Uri?>(null)
    private val found = MutableStateFlow<Expression?>(null)

    /** Of the photo that is shown; null until it is known. */
    val expression: StateFlow<Expression?> = found

    init {
        viewModelScope.launch(Dispatchers.Default) { // Fer.create blocks its thread
            try {
                // One Fer for all photos; it is closed when the ViewModel is cleared, which cancels this coroutine.
                Fer.create(application, "compact").use { fer ->
                    photo.filterNotNull().collectLatest {
                        found.value = null
                        found.value = fer.analyse(it).toExpression()
                    }
                }
            } catch (error: InputException) {
                found.value = Expression.Failed(error.message.orEmpty())
            }
        }
    }

    fun show(uri: Uri) {
        photo.value = uri
    }
}

private fun PhotoResult.toExpression(): Expression =
    error?.let { Expression.Failed(it) } ?: Expression.Found(label, confidence)
