package org.fermobile.gallery.photo

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.text.TextUtils
import android.view.MenuItem
import android.view.View
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.TextView
import androidx.activity.viewModels
import androidx.appcompat.app.AppCompatActivity
import com.google.android.material.appbar.MaterialToolbar
import com.google.android.material.progressindicator.LinearProgressIndicator
import org.fermobile.core.Face
import org.fermobile.core.PhotoResult
import org.fermobile.core.Stage
import org.fermobile.core.Turn
import org.fermobile.gallery.R
import org.fermobile.gallery.library.LibraryPhoto
import org.fermobile.gallery.logic.Expressions
import org.fermobile.gallery.logic.Vocabulary
import org.fermobile.gallery.ui.addHeading
import org.fermobile.gallery.ui.addRow
import org.fermobile.gallery.ui.decimal
import org.fermobile.gallery.ui.draw
import org.fermobile.gallery.ui.iconOf
import org.fermobile.gallery.ui.nameOf
import org.fermobile.gallery.ui.percent
import org.fermobile.gallery.ui.reasonOf
import org.fermobile.gallery.ui.sharePhotos
import org.fermobile.gallery.ui.showIf
import org.fermobile.gallery.ui.showScreen
import org.fermobile.gallery.ui.visibleIf

/** One photo: its faces, their expressions with every probability, and the time of each stage. */
class PhotoActivity : AppCompatActivity() {
    private val model: PhotoViewModel by viewModels()
    private var shown: Triple<PhotoResult?, Vocabulary, Double>? = null

    private val answer: TextView by lazy { findViewById(R.id.answer) }
    private val facts: LinearLayout by lazy { findViewById(R.id.facts) }
    private val filter: View by lazy { findViewById(R.id.filter) }
    private val photo: FacesView by lazy { findViewById(R.id.photo) }
    private val progress: View by lazy { findViewById(R.id.progress) }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        showScreen(R.layout.activity_photo)
        filter.setOnClickListener { model.filter() }
        findViewById<MaterialToolbar>(R.id.toolbar).apply {
            setNavigationOnClickListener { finish() }
            menu.findItem(R.id.remove_photo).isVisible = model.chosen
            setOnMenuItemClickListener(::choose)
        }
        draw(model.screen, ::show)
    }

    private fun choose(item: MenuItem): Boolean {
        if (item.itemId == R.id.share) {
            sharePhotos(listOf(model.uri))
        } else {
            model.remove()
            finish()
        }
        return true
    }

    private fun show(screen: PhotoScreen) {
        val result = screen.result
        if (screen.unreadable) {
            photo.adjustViewBounds = false // else the mark would be as wide as the screen
            photo.scaleType = ImageView.ScaleType.CENTER
            photo.setImageResource(R.drawable.ic_unreadable)
        } else {
            photo.setImageBitmap(screen.photo)
        }
        photo.vocabulary = screen.vocabulary
        photo.minQuality = screen.minQuality
        photo.result = result
        filter.isEnabled = !screen.busy && screen.photo != null
        progress.visibleIf(screen.busy)
        answer.text = when {
            screen.modelError != null ->
                getString(R.string.model_refused) + "\n" + getString(R.string.details, screen.modelError)
            screen.unreadable || result?.error != null -> reasonOf(screen.tooLarge || result?.tooLarge == true)
            result != null -> describe(result.relabelled(screen.minQuality), screen.vocabulary)
            else -> ""
        }
        answer.showIf(answer.text.isNotEmpty())
        val said = Triple(result, screen.vocabulary, screen.minQuality)
        if (said != shown) {
            shown = said
            showFacts(result, screen.vocabulary, screen.minQuality)
        }
    }

    private fun describe(result: PhotoResult, vocabulary: Vocabulary): CharSequence {
        val label = result.label ?: return getString(R.string.no_face)
        val icon = iconOf(label, vocabulary, answer.textSize)
        val flaw = result.faces.singleOrNull()?.flaw?.takeIf { label == Expressions.UNSURE }
        return TextUtils.concat(icon, " ", listOfNotNull(nameOf(label), flaw?.let { nameOf(it) }).joinToString(", "))
    }

    private fun showFacts(result: PhotoResult?, vocabulary: Vocabulary, minQuality: Double) {
        facts.removeAllViews()
        if (result == null || result.error != null) return
        for ((index, face) in result.faces.withIndex()) {
            if (result.faces.size > 1) {
                val label = if (face.isUnsure(minQuality)) Expressions.UNSURE else face.label
                facts.addHeading(getString(R.string.face_number, index + 1, nameOf(label)))
            }
            addProbabilities(face, vocabulary)
            showQuality(face)
            if (face.levelled) facts.addRow(listOf(getString(R.string.levelled), "${decimal(face.tilt ?: 0.0, 0)}°"))
        }
        if (result.turn != Turn.NONE) facts.addRow(listOf(getString(R.string.turned), "${result.turn.degrees}°"))
        facts.addHeading(getString(R.string.stage_times))
        for (stage in Stage.entries) {
            val time = result.stages[stage] ?: continue
            facts.addRow(listOf(nameOf(stage), getString(R.string.milliseconds, decimal(time, 1))))
        }
    }

    /** How well the photo shows a face, and what it lacks; nothing where it lacks nothing. */
    private fun showQuality(face: Face) {
        val quality = face.quality ?: return
        val flaw = face.flaw ?: return
        facts.addRow(listOf(getString(R.string.quality_but, nameOf(flaw)), percent(quality.toFloat())))
    }

    private fun addProbabilities(face: Face, vocabulary: Vocabulary) {
        for ((label, probability) in face.probabilities.entries.sortedByDescending { it.value }) {
            val row = layoutInflater.inflate(R.layout.probability, facts, false)
            row.findViewById<TextView>(R.id.name).apply {
                text = TextUtils.concat(iconOf(label, vocabulary, textSize), " ", nameOf(label))
            }
            row.findViewById<LinearProgressIndicator>(R.id.bar).progress = (probability * 1000).toInt()
            row.findViewById<TextView>(R.id.value).text = percent(probability, 1)
            row.contentDescription = "${nameOf(label)}, ${percent(probability, 1)}"
            row.isFocusable = true
            facts.addView(row)
        }
    }

    companion object {
        fun intent(context: Context, photo: LibraryPhoto): Intent = Intent(context, PhotoActivity::class.java)
            .putExtra(PhotoViewModel.URI, photo.uri)
            .putExtra(PhotoViewModel.KEY, photo.key)
            .putExtra(PhotoViewModel.CHOSEN, photo.chosen)
    }
}
