using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The pieces of a SentencePiece model by kind, after the checks that make them a vocabulary. Immutable.</summary>
internal sealed class SentencePieceVocabulary
{
    private readonly ByteTrie _found;           // normal, user-defined and unused pieces: what can stand in text
    private readonly ByteTrie _reserved;        // the unknown piece, control pieces and bytes: what cannot

    /// <param name="file">The model.</param>
    /// <param name="where">Its name, for messages.</param>
    /// <exception cref="UserErrorException">The pieces contradict each other.</exception>
    public SentencePieceVocabulary(SentencePieceFile file, string where)
    {
        File = file;
        ByteIds = new int[256];
        Array.Fill(ByteIds, -1);
        var (found, reserved) = (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<string, int>(StringComparer.Ordinal));
        int unknown = -1;
        for (int id = 0; id < file.Pieces.Count; id++)
        {
            var piece = file.Pieces[id];
            string text = Encoding.UTF8.GetString(piece.Text);
            if (!(IsReserved(piece.Kind) ? reserved : found).TryAdd(text, id))
                throw Refuse($"piece {id} ('{text}') stands there twice");
            if (piece.Kind == SentencePieceKind.Unknown)
                unknown = unknown < 0 ? id : throw Refuse($"pieces {unknown} and {id} are both the unknown piece; expected one");
            if (piece.Kind != SentencePieceKind.Byte)
                continue;
            if (!file.Training.ByteFallback)
                throw Refuse($"piece {id} ('{text}') is a byte, but the model has no byte fallback");
            ByteIds[ByteOf(piece.Text) ?? throw Refuse($"piece {id} ('{text}') is no byte; expected <0x00> to <0xFF>")] = id;
        }
        UnknownId = unknown >= 0 ? unknown : throw Refuse("it has no unknown piece");
        if (file.Training.ByteFallback && Array.IndexOf(ByteIds, -1) is var missing and >= 0)
            throw Refuse($"it has byte fallback, but no piece for byte {missing}; expected all 256");
        _found = new ByteTrie(found.Values.Select(id => (file.Pieces[id].Text, id)));
        _reserved = new ByteTrie(reserved.Values.Select(id => (file.Pieces[id].Text, id)));
        UserDefined = new ByteTrie(found.Values.Where(id => file.Pieces[id].Kind == SentencePieceKind.UserDefined).Select(id => (file.Pieces[id].Text, id)));

        UserErrorException Refuse(string what) => new($"{where}: {what}.");
    }

    public SentencePieceFile File { get; }

    public int UnknownId { get; }

    /// <summary>The piece of each byte; -1 without byte fallback.</summary>
    public int[] ByteIds { get; }

    /// <summary>The pieces that are found before any other.</summary>
    public ByteTrie UserDefined { get; }

    public int Size => File.Pieces.Count;

    /// <summary>The pieces that can stand in text.</summary>
    public IEnumerable<int> Found => Enumerable.Range(0, Size).Where(id => !IsReserved(File.Pieces[id].Kind));

    public byte[]? TextOf(int id) => (uint)id < (uint)Size ? File.Pieces[id].Text : null;

    /// <summary>The piece with this text, whatever it is for; a reserved one before another.</summary>
    public int? Find(ReadOnlySpan<byte> text) => _reserved.Find(text) is var reserved and >= 0 ? reserved : FindInText(text) is var found and >= 0 ? found : null;

    /// <summary>The piece with this text that can stand in text, or -1.</summary>
    public int FindInText(ReadOnlySpan<byte> text) => _found.Find(text);

    /// <summary>The byte that a piece of this form stands for, or null.</summary>
    public static byte? ByteOf(ReadOnlySpan<byte> text) =>
        text.Length == 6 && text.StartsWith("<0x"u8) && text[5] == '>' && byte.TryParse(text[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value)
            ? value : null;

    private static bool IsReserved(SentencePieceKind kind) => kind is SentencePieceKind.Unknown or SentencePieceKind.Control or SentencePieceKind.Byte;
}
