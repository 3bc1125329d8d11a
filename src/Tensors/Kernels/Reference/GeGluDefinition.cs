namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>y = gelu(gate) · up. Source: arXiv:2002.05202.</summary>
internal static class GeGluDefinition
{
    public static double[] Forward(double[] gate, double[] up, GeluForm form) => [.. gate.Zip(up, (g, u) => GeluDefinition.Value(g, form) * u)];

    public static (double[] Gate, double[] Up) Backward(double[] gate, double[] up, double[] dy, GeluForm form)
    {
        var (dGate, dUp) = (new double[gate.Length], new double[up.Length]);
        for (var i = 0; i < gate.Length; i++)
        {
            dUp[i] = dy[i] * GeluDefinition.Value(gate[i], form);
            dGate[i] = dy[i] * up[i] * GeluDefinition.Slope(gate[i], form);
        }
        return (dGate, dUp);
    }
}
