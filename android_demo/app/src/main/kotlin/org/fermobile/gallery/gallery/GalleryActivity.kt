package org.fermobile.gallery.gallery

import android.content.Intent
import android.graphics.Rect
import android.net.Uri
import android.os.Bundle
import android.provider.Settings
import android.view.MenuItem
import android.view.View
import android.widget.TextView
import androidx.activity.OnBackPressedCallback
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia.ImageOnly
import androidx.activity.viewModels
import androidx.appcompat.app.AppCompatActivity
import androidx.core.view.children
import androidx.lifecycle.lifecycleScope
import androidx.recyclerview.widget.GridLayoutManager
import androidx.recyclerview.widget.RecyclerView
import com.google.android.material.appbar.MaterialToolbar
import com.google.android.material.button.MaterialButton
import com.google.android.material.chip.Chip
import com.google.android.material.chip.ChipGroup
import com.google.android.material.progressindicator.LinearProgressIndicator
import org.fermobile.gallery.BenchmarkActivity
import org.fermobile.gallery.R
import org.fermobile.gallery.app
import org.fermobile.gallery.library.Access
import org.fermobile.gallery.logic.Phase
import org.fermobile.gallery.logic.Vocabulary
import org.fermobile.gallery.models.ModelsActivity
import org.fermobile.gallery.photo.PhotoActivity
import org.fermobile.gallery.ui.draw
import org.fermobile.gallery.ui.letterDrawable
import org.fermobile.gallery.ui.nameOf
import org.fermobile.gallery.ui.sharePhotos
import org.fermobile.gallery.ui.showIf
import org.fermobile.gallery.ui.showScreen
import org.fermobile.gallery.ui.visibleIf

/** The grid of photos, "Filter all" and "Back" under it, and the bar of expressions. */
class GalleryActivity : AppCompatActivity() {
    private val model: GalleryViewModel by viewModels()
    private lateinit var tiles: TileAdapter

    private val askPermission =
        registerForActivityResult(ActivityResultContracts.RequestMultiplePermissions()) { answers ->
            if (answers.isNotEmpty() && answers.values.none { it }) app.library.refused = true
            showWhatAllowDoes()
            model.refresh()
        }
    private val pickPhotos =
        registerForActivityResult(ActivityResultContracts.PickMultipleVisualMedia()) { model.choose(it) }

    private val onBack = object : OnBackPressedCallback(false) {
        override fun handleOnBackPressed() = model.back()
    }

    private val allow: MaterialButton by lazy { findViewById(R.id.allow) }
    private val filterAll: MaterialButton by lazy { findViewById(R.id.filter_all) }
    private val back: View by lazy { findViewById(R.id.back) }
    private val bar: ChipGroup by lazy { findViewById(R.id.bar) }
    private val message: TextView by lazy { findViewById(R.id.message) }
    private val progress: LinearProgressIndicator by lazy { findViewById(R.id.progress) }
    private val share: MenuItem by lazy { findViewById<MaterialToolbar>(R.id.toolbar).menu.findItem(R.id.share) }
    private val status: TextView by lazy { findViewById(R.id.status) }
    private val welcome: View by lazy { findViewById(R.id.welcome) }

    /** Selected when the bar was last drawn: what comes to it is scrolled into sight. */
    private var selectedBefore: Set<String> = emptySet()
    private var vocabularyOfBar: Vocabulary? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        showScreen(R.layout.activity_gallery)
        tiles = TileAdapter(lifecycleScope, app.thumbnails) { startActivity(PhotoActivity.intent(this, it)) }
        findViewById<RecyclerView>(R.id.grid).apply {
            val column = resources.getDimensionPixelSize(R.dimen.tile)
            layoutManager = GridLayoutManager(context, 3).also { manager ->
                addOnLayoutChangeListener { _, left, _, right, _, _, _, _, _ ->
                    val columns = maxOf(2, (right - left) / column)
                    if (columns != manager.spanCount) post { manager.spanCount = columns }
                }
            }
            adapter = tiles
            itemAnimator = null
        }
        filterAll.setOnClickListener { if (filtering()) model.cancel() else model.filterAll() }
        back.setOnClickListener { model.back() }
        onBackPressedDispatcher.addCallback(this, onBack)
        allow.setOnClickListener { askAccess() }
        findViewById<View>(R.id.choose).setOnClickListener { choosePhotos() }
        findViewById<MaterialToolbar>(R.id.toolbar).setOnMenuItemClickListener(::choose)
        draw(model.screen, ::show)
    }

    override fun onStart() {
        super.onStart()
        showWhatAllowDoes()
        model.refresh()
    }

    private fun filtering() = model.screen.value.gallery.phase == Phase.FILTERING

    private fun show(screen: GalleryScreen) {
        val gallery = screen.gallery
        val shown = gallery.tiles
        tiles.library = screen.library.orEmpty()
        tiles.vocabulary = gallery.vocabulary
        tiles.submitList(
            shown.map { ShownTile(it, looked = gallery.phase != Phase.BROWSING && it.photo in gallery.results) },
        )
        showBar(screen)
        filterAll.setText(if (filtering()) R.string.cancel else R.string.filter_all)
        filterAll.isEnabled = filtering() || (gallery.photos.isNotEmpty() && gallery.identity.isNotEmpty())
        back.isEnabled = gallery.phase != Phase.BROWSING || gallery.selected.isNotEmpty()
        onBack.isEnabled = back.isEnabled
        progress.visibleIf(filtering())
        progress.max = gallery.photos.size
        progress.setProgressCompat(gallery.photos.size - gallery.pending.size, false)
        status.maxLines = if (filtering()) 2 else 1 // large text shrinks to fit, and breaks between words only
        status.text = when {
            filtering() -> getString(
                R.string.photos_progress, gallery.photos.size - gallery.pending.size, gallery.photos.size,
            )
            else -> resources.getQuantityString(R.plurals.photos_shown, shown.size, shown.size)
        }
        // All photos of a phone are more than another app takes.
        share.isVisible = gallery.phase == Phase.FILTERED && gallery.selected.isNotEmpty() && shown.size in 1..MOST_SHARED
        showMessage(screen)
    }

    private fun showMessage(screen: GalleryScreen) {
        val gallery = screen.gallery
        welcome.showIf(screen.library?.isEmpty() == true && screen.access == Access.NONE)
        val text = when {
            screen.modelError != null ->
                getString(R.string.model_refused) + "\n" + getString(R.string.details, screen.modelError)
            screen.library == null || screen.access == Access.NONE -> null
            gallery.photos.isEmpty() -> getString(R.string.no_photos)
            gallery.tiles.isEmpty() ->
                getString(R.string.nothing_matches, gallery.bar.filter(gallery.selected::contains).joinToString { nameOf(it) })
            else -> null
        }
        message.showIf(text != null)
        if (message.text.toString() != text.orEmpty()) message.text = text
    }

    private fun showBar(screen: GalleryScreen) {
        val gallery = screen.gallery
        if (gallery.vocabulary != vocabularyOfBar || gallery.bar != bar.children.map { it.tag }.toList()) {
            vocabularyOfBar = gallery.vocabulary
            bar.removeAllViews()
            for (label in gallery.bar) {
                val chip = layoutInflater.inflate(R.layout.bar_item, bar, false) as Chip
                chip.tag = label
                chip.chipIcon = letterDrawable(label, gallery.vocabulary, chip.textSize.toInt())
                chip.setOnClickListener { model.toggle(label) }
                bar.addView(chip)
            }
        }
        val counts = gallery.counts
        for (index in 0 until bar.childCount) {
            val chip = bar.getChildAt(index) as Chip
            val label = chip.tag as String
            val count = if (gallery.phase == Phase.BROWSING) "" else " ${counts.getValue(label)}"
            val emoji = gallery.vocabulary.emoji(label)
            val name = nameOf(label).takeIf { bar.isSingleLine || emoji == null } // at the side there is no room
            chip.text = listOfNotNull(emoji, name).joinToString(" ") + count
            chip.isChecked = label in gallery.selected
            chip.isChipIconVisible = chip.chipIcon != null && !chip.isChecked // the check mark takes its place
            if (label in gallery.selected && label !in selectedBefore) {
                chip.post { chip.requestRectangleOnScreen(Rect(0, 0, chip.width, chip.height), true) }
            }
            chip.contentDescription = when (gallery.phase) {
                Phase.BROWSING -> nameOf(label)
                else -> counts.getValue(label).let { photos ->
                    getString(R.string.bar_item, nameOf(label), resources.getQuantityString(R.plurals.photos_shown, photos, photos))
                }
            }
        }
        selectedBefore = gallery.selected
    }

    /** The system's question; where the system asks no more, the app's page of its settings. */
    private fun askAccess() {
        if (asksNoMore()) {
            val page = Uri.fromParts("package", packageName, null)
            startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, page))
        } else {
            askPermission.launch(app.library.permissions())
        }
    }

    private fun asksNoMore(): Boolean {
        val refusedForEver = app.library.refused && app.library.permissions().none(::shouldShowRequestPermissionRationale)
        return app.library.access == Access.ALL || refusedForEver
    }

    private fun showWhatAllowDoes() = allow.setText(if (asksNoMore()) R.string.open_settings else R.string.allow_photos)

    private fun choosePhotos() = pickPhotos.launch(PickVisualMediaRequest(ImageOnly))

    private fun choose(item: MenuItem): Boolean {
        when (item.itemId) {
            R.id.share -> sharePhotos(tiles.currentList.mapNotNull { tiles.library[it.tile.photo]?.uri })
            R.id.choose_photos -> choosePhotos()
            R.id.change_access -> askAccess()
            R.id.models -> startActivity(Intent(this, ModelsActivity::class.java))
            R.id.benchmark -> startActivity(Intent(this, BenchmarkActivity::class.java))
        }
        return true
    }

    private companion object {
        const val MOST_SHARED = 500
    }
}
