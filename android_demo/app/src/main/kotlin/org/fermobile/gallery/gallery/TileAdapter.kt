package org.fermobile.gallery.gallery

import android.content.Context
import android.text.TextUtils
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.ImageView
import android.widget.TextView
import androidx.recyclerview.widget.DiffUtil
import androidx.recyclerview.widget.ListAdapter
import androidx.recyclerview.widget.RecyclerView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import org.fermobile.gallery.R
import org.fermobile.gallery.library.LibraryPhoto
import org.fermobile.gallery.library.Thumbnails
import org.fermobile.gallery.logic.Tile
import org.fermobile.gallery.logic.Vocabulary
import org.fermobile.gallery.ui.iconOf
import org.fermobile.gallery.ui.nameOf
import org.fermobile.gallery.ui.percent
import org.fermobile.gallery.ui.reasonOf

/** A tile and whether its photo was looked at: one that was and has no label shows no face. */
data class ShownTile(val tile: Tile, val looked: Boolean)

/** The photos of the grid, each with emoji and confidence under it. */
class TileAdapter(
    private val scope: CoroutineScope,
    private val thumbnails: Thumbnails,
    private val open: (LibraryPhoto) -> Unit,
) : ListAdapter<ShownTile, TileAdapter.Holder>(SAME) {
    var library: Map<String, LibraryPhoto> = emptyMap()

    /** Of the model in use. */
    var vocabulary = Vocabulary()

    class Holder(view: View) : RecyclerView.ViewHolder(view) {
        val image: ImageView = view.findViewById(R.id.image)
        val caption: TextView = view.findViewById(R.id.caption)
        var loading: Job? = null
    }

    override fun onCreateViewHolder(parent: ViewGroup, viewType: Int) =
        Holder(LayoutInflater.from(parent.context).inflate(R.layout.tile, parent, false))

    override fun onBindViewHolder(holder: Holder, position: Int) {
        val shown = getItem(position)
        val photo = library[shown.tile.photo]
        val context = holder.itemView.context
        holder.caption.text = context.caption(shown) { iconOf(it, vocabulary, holder.caption.textSize) }
        holder.itemView.contentDescription = context.description(shown, position + 1)
        holder.itemView.setOnClickListener { photo?.let(open) }
        holder.loading?.cancel()
        holder.image.scaleType = ImageView.ScaleType.CENTER_CROP
        val cached = photo?.let(thumbnails::cached)
        holder.image.setImageBitmap(cached)
        if (photo != null && cached == null) {
            holder.loading = scope.launch {
                val thumbnail = thumbnails.load(photo)
                if (thumbnail != null) holder.image.setImageBitmap(thumbnail) else mark(holder)
            }
        }
    }

    override fun onViewRecycled(holder: Holder) {
        holder.loading?.cancel()
        holder.image.setImageBitmap(null)
    }

    private fun mark(holder: Holder) {
        holder.image.scaleType = ImageView.ScaleType.CENTER
        holder.image.setImageResource(R.drawable.ic_unreadable)
    }

    private companion object {
        val SAME = object : DiffUtil.ItemCallback<ShownTile>() {
            override fun areItemsTheSame(old: ShownTile, new: ShownTile) = old.tile.photo == new.tile.photo
            override fun areContentsTheSame(old: ShownTile, new: ShownTile) = old == new
        }
    }
}

private fun Context.caption(shown: ShownTile, icon: (String) -> CharSequence): CharSequence = with(shown.tile) {
    val label = label
    val confidence = confidence
    val flaw = flaw
    when {
        error != null -> reasonOf(tooLarge)
        label != null && flaw != null -> TextUtils.concat(icon(label), " ", nameOf(flaw))
        label != null && confidence != null -> TextUtils.concat(icon(label), " ", percent(confidence))
        label != null -> icon(label)
        shown.looked -> getString(R.string.no_face)
        else -> ""
    }
}

private fun Context.description(shown: ShownTile, number: Int): String = with(shown.tile) {
    val label = label
    val confidence = confidence
    val flaw = flaw
    when {
        error != null -> getString(R.string.tile_labelled, number, reasonOf(tooLarge))
        label != null && flaw != null -> getString(R.string.tile_confident, number, nameOf(label), nameOf(flaw))
        label != null && confidence != null ->
            getString(R.string.tile_confident, number, nameOf(label), percent(confidence))
        label != null -> getString(R.string.tile_labelled, number, nameOf(label))
        shown.looked -> getString(R.string.tile_labelled, number, getString(R.string.no_face))
        else -> getString(R.string.tile_plain, number)
    }
}
